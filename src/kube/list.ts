// All objects of a kind, page by page: a page at a time keeps the event loop free while thousands are read.
import { ApiFailure, GoneFailure, readJson } from './api-failure.ts'
import type { Connection } from './connection.ts'
import { isRecord, record, text } from './raw.ts'
import type { Resource } from './resource.ts'
import { trim, type KubeObject } from './trim.ts'

const PAGE = 500

export interface Selection {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
}

export interface Listing {
  readonly objects: readonly KubeObject[]
  /** Where a watch goes on from. */
  readonly version: string
}

/** Rejects with ApiFailure or a network error. */
export async function listAll(connection: Connection, resource: Resource, selection: Selection, signal: AbortSignal): Promise<Listing> {
  try {
    return await listPages(connection, resource, selection, signal, String(PAGE))
  } catch (error) {
    // The token of a page has expired while we read: all at once can't expire.
    if (!(error instanceof GoneFailure)) throw error
    return listPages(connection, resource, selection, signal, undefined)
  }
}

async function listPages(connection: Connection, resource: Resource, selection: Selection, signal: AbortSignal, limit: string | undefined): Promise<Listing> {
  const objects: KubeObject[] = []
  let token = ''
  for (;;) {
    const query = { ...selection.query, ...(limit !== undefined && { limit }), ...(token !== '' && { continue: token }) }
    const page = record(await readJson(await connection.request({ method: 'GET', path: selection.path, query, signal })))
    const items: unknown = page['items']
    // Anything else that happens to be JSON must not pass for "there is nothing": it would take every route away.
    if (!isRecord(page['metadata']) || !(Array.isArray(items) || items === null)) throw new ApiFailure(200, 'Malformed', `the answer is no list of ${resource.plural}`)
    for (const item of Array.isArray(items) ? items : []) {
      const object = trim(resource.kind, item)
      if (object !== undefined) objects.push(object)
    }
    const metadata = record(page['metadata'])
    token = text(metadata['continue'])
    if (token === '') return { objects, version: text(metadata['resourceVersion']) }
  }
}
