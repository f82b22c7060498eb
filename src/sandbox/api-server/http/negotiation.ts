// Accept and Content-Type: in which form an answer goes out, in which form a body came. Pure.
import { ApiError } from '../api-error.ts'

export type Form =
  | { readonly as: 'object' }
  | { readonly as: 'table'; readonly version: string }
  | { readonly as: 'metadata'; readonly version: string }
  | { readonly as: 'metadata-list'; readonly version: string }

export interface Answer {
  readonly encoding: 'json' | 'yaml'
  readonly form: Form
}

interface Clause {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
}

const acceptedTypes = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'
const maxHeader = 4096

export function readClauses(header: string): Clause[] {
  return header.slice(0, maxHeader).split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim())
    return { type: type.toLowerCase(), parameters: new Map(parameters.map((parameter) => {
      const at = parameter.indexOf('=')
      return at < 0 ? [parameter, ''] as const : [parameter.slice(0, at), parameter.slice(at + 1)] as const
    })) }
  }).filter((clause) => clause.type !== '')
}

/** The first form of the Accept header that can be served. Throws ApiError 406. */
export function negotiate(accept: string | undefined): Answer {
  const clauses = readClauses(accept ?? '*/*')
  for (const { type, parameters } of clauses.length === 0 ? readClauses('*/*') : clauses) {
    const encoding = type === 'application/json' || type === '*/*' || type === 'application/*' ? 'json' : type === 'application/yaml' ? 'yaml' : undefined
    const form = readForm(parameters)
    if (encoding !== undefined && form !== undefined) return { encoding, form }
  }
  throw new ApiError(406, 'NotAcceptable', `only the following media types are accepted: ${acceptedTypes}`)
}

function readForm(parameters: ReadonlyMap<string, string>): Form | undefined {
  const as = parameters.get('as')
  if (as === undefined) return { as: 'object' }
  const version = parameters.get('v') ?? ''
  if (parameters.get('g') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return undefined
  if (as === 'Table') return { as: 'table', version }
  if (as === 'PartialObjectMetadata') return { as: 'metadata', version }
  return as === 'PartialObjectMetadataList' ? { as: 'metadata-list', version } : undefined
}

export type BodyType = 'json' | 'yaml' | 'protobuf'

/** Throws ApiError 415. A body without a type is read as JSON. */
export function bodyType(contentType: string | undefined): BodyType {
  const type = readClauses(contentType ?? '')[0]?.type ?? 'application/json'
  if (type === 'application/json') return 'json'
  if (type === 'application/yaml') return 'yaml'
  if (type === 'application/vnd.kubernetes.protobuf') return 'protobuf'
  throw unsupported(acceptedTypes)
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply'

const patchTypes: ReadonlyMap<string, PatchType> = new Map([
  ['application/json-patch+json', 'json'],
  ['application/merge-patch+json', 'merge'],
  ['application/strategic-merge-patch+json', 'strategic'],
  ['application/apply-patch+yaml', 'apply'],
])

/** Throws ApiError 415. */
export function patchType(contentType: string | undefined): PatchType {
  const found = patchTypes.get(readClauses(contentType ?? '')[0]?.type ?? '')
  if (found === undefined) throw unsupported([...patchTypes.keys()].join(', '))
  return found
}

function unsupported(types: string): ApiError {
  return new ApiError(415, 'UnsupportedMediaType', `the body of the request was in an unknown format - accepted media types include: ${types}`)
}
