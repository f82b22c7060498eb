// Reads what a real API server answered (../../shared/apiserver-recordings, see its README) as exchanges.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Cause, KubeObject, TableColumn } from '../../../../src/sandbox/api-server/kind.ts'

export interface RecordedTable {
  readonly kind: 'Table'
  readonly columnDefinitions: readonly TableColumn[]
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: unknown }[]
}

export interface RecordedStatus {
  readonly kind: 'Status'
  readonly message: string
  readonly reason: string
  readonly code: number
  readonly details?: { readonly causes?: readonly Cause[] }
}

export interface RecordedList {
  readonly kind: string
  readonly apiVersion: string
  readonly items: readonly KubeObject[]
}

export interface Exchange {
  readonly file: string
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown; readonly bodyBase64?: string }
  readonly response: { readonly status: number; readonly body?: unknown; readonly bodyBase64?: string; readonly warning?: string }
}

const PLACE = fileURLToPath(new URL('../../../../../shared/apiserver-recordings', import.meta.url))

/** Undefined where the recordings are not there: they are no part of the project. */
export const RECORDINGS = existsSync(PLACE) ? PLACE : undefined

export function exchanges(): Exchange[] {
  if (RECORDINGS === undefined) return []
  const directory = RECORDINGS
  return readdirSync(directory)
    .filter(file => file.endsWith('.json'))
    .sort()
    .flatMap(file => {
      const recording = JSON.parse(readFileSync(join(directory, file), 'utf8')) as { exchanges: Omit<Exchange, 'file'>[] }
      return recording.exchanges.map(exchange => ({ ...exchange, file }))
    })
}

/** `/apis/apps/v1/namespaces/dev/deployments/web/scale?x=y` in parts. */
export function target(path: string): { resource: string; namespace: string; name: string; subresource: string } {
  const parts = new URL(path, 'http://x').pathname.split('/').filter(part => part !== '')
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3)
  const isInNamespace = rest[0] === 'namespaces' && rest.length > 2
  const [resource = '', name = '', subresource = ''] = isInNamespace ? rest.slice(2) : rest
  return { resource, namespace: isInNamespace ? (rest[1] ?? '') : '', name, subresource }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

export function isObject(body: unknown): body is KubeObject {
  return isRecord(body) && isRecord(body['metadata']) && typeof body['metadata']['uid'] === 'string'
}

export function isTable(body: unknown): body is RecordedTable {
  return isRecord(body) && body['kind'] === 'Table'
}

export function isStatus(body: unknown): body is RecordedStatus {
  return isRecord(body) && body['kind'] === 'Status'
}

export function isList(body: unknown): body is RecordedList {
  return isRecord(body) && Array.isArray(body['items'])
}
