// The number that a request is hashed by, for backends whose scheduler hashes. Others have none, and pay nothing.
import { addressKey, textKey } from '../balance/hash.ts'
import { fieldValue } from '../http/http1/field-lines.ts'
import type { Backend } from '../model/routing.ts'
import { keyedBy, type HashPart } from '../model/scheduler.ts'

/** What of an exchange may be hashed. */
export interface KeyedRequest {
  readonly request: { readonly hostName: string; readonly target: string; readonly fields: string }
  /** Normalised. */
  readonly path: string
  readonly origin: { readonly address: string }
  readonly client: { readonly clientPort: number }
}

/** An unsigned 32-bit integer. */
export type RequestKey = (exchange: KeyedRequest) => number

export function requestKey({ scheduler, schedulerOptions, hashKey }: Backend): RequestKey | undefined {
  const by = keyedBy(scheduler)
  if (by === undefined) return undefined
  const source = schedulerOptions?.port === true ? sourceWithPort : sourceAlone
  if (hashKey === undefined) return by === 'source' ? source : (exchange) => textKey(exchange.request.hostName)
  if (hashKey.every(({ kind }) => kind === 'source')) return source
  return (exchange) => textOf(exchange, hashKey, source)
}

function sourceAlone({ origin }: KeyedRequest): number {
  return addressKey(origin.address)
}

function sourceWithPort({ origin, client }: KeyedRequest): number {
  return addressKey(origin.address, client.clientPort)
}

/** Where none of the parts is there, the client's address: the same key for all of those would send them all to one endpoint. */
function textOf(exchange: KeyedRequest, parts: readonly HashPart[], source: RequestKey): number {
  let text = ''
  let isEmpty = true
  for (const part of parts) {
    const value = valueOf(part, exchange)
    if (value !== '' && part.kind !== 'text') isEmpty = false
    text += value
  }
  return isEmpty ? source(exchange) : textKey(text)
}

function valueOf(part: HashPart, { request, path, origin }: KeyedRequest): string {
  switch (part.kind) {
    case 'host':
      return request.hostName
    case 'uri':
      return request.target
    case 'path':
      return path
    case 'query':
      return queryOf(request.target)
    case 'source':
      return origin.address
    case 'header':
      return fieldValue(request.fields, part.name) ?? ''
    case 'cookie':
      return member(fieldValue(request.fields, 'cookie') ?? '', ';', part.name)
    case 'argument':
      return member(queryOf(request.target), '&', part.name)
    case 'text':
      return part.text
  }
}

function queryOf(target: string): string {
  const at = target.indexOf('?')
  return at === -1 ? '' : target.slice(at + 1)
}

/** The value of the first `name=value` between separators, as it is written. */
function member(list: string, separator: string, name: string): string {
  for (const part of list.split(separator)) {
    const pair = part.trim()
    if (pair.startsWith(name) && pair[name.length] === '=') return pair.slice(name.length + 1)
  }
  return ''
}
