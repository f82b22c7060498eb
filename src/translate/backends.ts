// Step 3: which Service port each backend reference means. Endpoints come later, so that a change of theirs touches nothing here.
import type { Service, ServicePort } from '../kube/objects.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { ObjectRef } from '../model/object-ref.ts'
import type { BackendReference, BackendUser, Draft, IngressDraft, Resolution, Target, View } from './draft.ts'
import { parseExternalName } from './external-name.ts'
import { remember, reuseEntries } from './memory.ts'
import type { TranslateOptions } from './options.ts'
import { error, quote, warning, type Finding } from './report.ts'

type Report = (object: ObjectRef, field: string) => Diagnostic

interface Outcome {
  readonly resolution: Resolution
  readonly target?: Target
  /** What to tell each Ingress that names it. */
  readonly report?: Report
}

export function backends(view: View, draft: Draft): void {
  const { services } = view.state
  const { options } = view
  const { resolutions, targets, users, defaultBackend, diagnostics } = remember(view.memo.backends, [draft.ingresses, services, options], (before) => {
    const outcomes = new Map<string, Outcome>()
    const targets = new Map<string, Target>()
    const users = new Map<string, BackendUser[]>()
    const diagnostics: Diagnostic[] = []
    const lookUp = (reference: BackendReference): Outcome => {
      const known = outcomes.get(reference.key)
      if (known !== undefined) return known
      const outcome = resolve(reference, services, options)
      outcomes.set(reference.key, outcome)
      if (outcome.target !== undefined) targets.set(outcome.target.id, outcome.target)
      return outcome
    }
    for (const ingress of draft.ingresses) resolveAll(ingress, lookUp, users, diagnostics)
    const defaultBackend = resolveDefault(services, options, targets, users, diagnostics)
    const resolutions = new Map<string, Resolution>()
    for (const [key, outcome] of outcomes) resolutions.set(key, outcome.resolution)
    return {
      resolutions: reuseEntries(before?.resolutions, resolutions),
      targets: reuseEntries(before?.targets, targets),
      users,
      defaultBackend,
      diagnostics,
    }
  })
  Object.assign(draft, { resolutions, targets, users, defaultBackend })
  draft.diagnostics.push(diagnostics)
}

function resolveAll(ingress: IngressDraft, lookUp: (reference: BackendReference) => Outcome, users: Map<string, BackendUser[]>, diagnostics: Diagnostic[]): void {
  for (const reference of ingress.references) {
    const { resolution, report } = lookUp(reference)
    if (report !== undefined) diagnostics.push(report(ingress.object, reference.field))
    if (resolution.backend === undefined) continue
    const list = users.get(resolution.backend) ?? []
    if (list.length === 0) users.set(resolution.backend, list)
    if (list.at(-1)?.object !== ingress.object) list.push({ object: ingress.object, field: reference.field })
  }
}

function resolve(reference: BackendReference, services: ReadonlyMap<string, Service>, options: TranslateOptions): Outcome {
  const { service: named, resource } = reference.backend
  if (named === undefined) {
    if (resource !== undefined) return resourceBackend(resource.kind, resource.name)
    return unusable('ServiceNotFound', '', () => ({ message: 'The backend names no Service; requests for it are answered with 503.', fix: 'Set service.name and service.port.' }))
  }
  const key = `${reference.namespace}/${named.name}`
  const service = services.get(key)
  if (service === undefined || service.meta.deleting) {
    return unusable('ServiceNotFound', '.service.name', () => ({
      message: `There is no Service ${quote(named.name)} in namespace ${quote(reference.namespace)}; requests for it are answered with 503.`,
      fix: `Create the Service ${key} or correct the name.`,
    }))
  }
  return resolvePort(service, named.port, options)
}

function resourceBackend(kind: string, name: string): Outcome {
  return {
    resolution: { backend: undefined, status: 404 },
    report: (object, field) =>
      error('ResourceBackendUnsupported', object, {
        field: `${field}.resource`,
        message: `The backend is the resource ${quote(`${kind}/${name}`)}, and Narthex serves Services only; requests for it are answered with 404.`,
        fix: 'Name a Service instead.',
      }),
  }
}

function unusable(reason: 'ServiceNotFound' | 'ServicePortNotFound' | 'ExternalNameInvalid', below: string, finding: () => Omit<Finding, 'field'>): Outcome {
  return { resolution: { backend: undefined, status: 503 }, report: (object, field) => error(reason, object, { field: `${field}${below}`, ...finding() }) }
}

function resolvePort(service: Service, wanted: number | string, options: TranslateOptions): Outcome {
  const tcp = service.ports.filter((port) => port.protocol === 'TCP')
  const found = tcp.find((port) => (typeof wanted === 'number' ? port.port === wanted : port.name === wanted && wanted !== ''))
  const external = service.type === 'ExternalName'
  if (found !== undefined) return targetOf(service, found, options)
  // An ExternalName Service may do without ports: the Ingress' number is all there is to know.
  if (external && typeof wanted === 'number' && tcp.length === 0) {
    return targetOf(service, { name: '', port: wanted, targetPort: wanted, nodePort: undefined, protocol: 'TCP', appProtocol: undefined }, options)
  }
  // ingress-nginx takes the target port as well, and manifests that rely on it are about.
  const byTarget = wanted === '' ? undefined : tcp.find((port) => port.targetPort === wanted)
  const key = `${service.meta.namespace}/${service.meta.name}`
  const below = typeof wanted === 'number' ? '.service.port.number' : wanted === '' ? '.service.port' : '.service.port.name'
  const shown = typeof wanted === 'number' ? `port ${wanted}` : `port named ${quote(wanted)}`
  if (byTarget !== undefined) {
    return {
      ...targetOf(service, byTarget, options),
      report: (object, field) =>
        warning('ServicePortNotFound', object, {
          field: field + below,
          message: `Service ${key} has no ${shown}, but its port ${byTarget.port} has that as target port and is used.`,
          fix: `Name port ${byTarget.port}.`,
        }),
    }
  }
  return unusable('ServicePortNotFound', below, () => ({
    message: `${wanted === '' ? 'The backend names no port' : `Service ${key} has no ${shown}`}; requests for it are answered with 503.`,
    fix: tcp.length === 0 ? `Add the port to Service ${key}.` : `Name one of its ports: ${tcp.slice(0, 8).map(showPort).join(', ')}.`,
  }))
}

function showPort(port: ServicePort): string {
  return port.name === '' ? String(port.port) : `${port.port} (${port.name})`
}

function targetOf(service: Service, port: ServicePort, options: TranslateOptions): Outcome {
  const { namespace, name } = service.meta
  const id = `${namespace}/${name}:${port.port}`
  const target: Target = { id, namespace, service: name, port: port.port, portName: port.name, external: undefined }
  if (service.type !== 'ExternalName') return { resolution: { backend: id }, target }
  const parsed = parseExternalName(service.externalName, options.allowLoopback)
  if ('wrong' in parsed) {
    return unusable('ExternalNameInvalid', '.service.name', () => ({
      message: `The external name ${quote(service.externalName)} of Service ${namespace}/${name} ${parsed.wrong}; requests for it are answered with 503.`,
      fix: 'Set spec.externalName of the Service to a DNS name outside this machine.',
    }))
  }
  const portOutside = typeof port.targetPort === 'number' ? port.targetPort : port.port
  return { resolution: { backend: id }, target: { ...target, external: { name: parsed.name, port: portOutside } } }
}

/** The controller's own default backend: the first TCP port of its Service. */
function resolveDefault(services: ReadonlyMap<string, Service>, options: TranslateOptions, targets: Map<string, Target>, users: Map<string, BackendUser[]>, diagnostics: Diagnostic[]): string | undefined {
  const named = options.defaultBackendService
  if (named === undefined) return undefined
  const [namespace = '', name = ''] = named.split('/')
  const object: ObjectRef = { kind: 'Service', apiVersion: 'v1', namespace, name }
  const service = services.get(named)
  const port = service?.ports.find((port) => port.protocol === 'TCP')
  const field = '--default-backend-service'
  if (service === undefined) {
    diagnostics.push(error('ServiceNotFound', object, { field, message: `There is no Service ${quote(named)}; requests that no rule takes are answered with the built-in 404.`, fix: 'Create it or correct the option.' }))
    return undefined
  }
  if (port === undefined) {
    diagnostics.push(error('ServicePortNotFound', object, { field, message: `Service ${quote(named)} has no TCP port; requests that no rule takes are answered with the built-in 404.`, fix: 'Add a port to it.' }))
    return undefined
  }
  const { target, report } = targetOf(service, port, options)
  if (target === undefined) {
    if (report !== undefined) diagnostics.push(report(object, field))
    return undefined
  }
  targets.set(target.id, target)
  const list = users.get(target.id) ?? []
  users.set(target.id, [...list, { object, field }])
  return target.id
}
