// The Status errors that more than one part answers, in the words of k8s.io/apimachinery api/errors.
import { ApiError } from './api-error.ts'
import type { StatusDetails } from './api-error.ts'
import type { Cause } from './kind.ts'

/** What an error names: the resource as its group-version serves it. */
export interface ResourceName {
  readonly group: string
  readonly resource: string
  readonly kind: string
}

/** `ingresses.networking.k8s.io`, `services`. */
export function qualifiedResource(name: ResourceName): string {
  return name.group === '' ? name.resource : `${name.resource}.${name.group}`
}

function details(target: ResourceName, name: string, more: Partial<StatusDetails> = {}): StatusDetails {
  return { ...(name !== '' && { name }), ...(target.group !== '' && { group: target.group }), kind: target.resource, ...more }
}

export function notFound(target: ResourceName, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualifiedResource(target)} ${JSON.stringify(name)} not found`, details(target, name))
}

export function alreadyExists(target: ResourceName, name: string): ApiError {
  return new ApiError(409, 'AlreadyExists', `${qualifiedResource(target)} ${JSON.stringify(name)} already exists`, details(target, name))
}

export function conflict(target: ResourceName, name: string, reason: string): ApiError {
  return new ApiError(409, 'Conflict', `Operation cannot be fulfilled on ${qualifiedResource(target)} ${JSON.stringify(name)}: ${reason}`, details(target, name))
}

export function modified(target: ResourceName, name: string): ApiError {
  return conflict(target, name, 'the object has been modified; please apply your changes to the latest version and try again')
}

export function forbidden(target: ResourceName, name: string, reason: string, causes?: StatusDetails['causes']): ApiError {
  const quoted = name === '' ? '' : ` ${JSON.stringify(name)}`
  return new ApiError(403, 'Forbidden', `${qualifiedResource(target)}${quoted} is forbidden: ${reason}`, details(target, name, causes && { causes }))
}

/** `Ingress.networking.k8s.io "bad" is invalid: …`; all causes in one answer. */
export function invalid(target: ResourceName, name: string, causes: readonly Cause[]): ApiError {
  const kind = target.group === '' ? target.kind : `${target.kind}.${target.group}`
  const texts = [...new Set(causes.map((cause) => `${cause.field}: ${cause.message}`))]
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  return new ApiError(422, 'Invalid', `${kind} ${JSON.stringify(name)} is invalid: ${text}`, {
    ...(name !== '' && { name }), ...(target.group !== '' && { group: target.group }), kind: target.kind, causes,
  })
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message)
}

/** A resourceVersion or continue token that the history no longer reaches. */
export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message)
}
