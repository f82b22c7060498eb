// Watches over HTTP: initial events, history, selection changes, bookmarks, time limits, back pressure.
import type { ServerResponse } from 'node:http'
import { ApiError } from '../api-error.ts'
import type { Status } from '../api-error.ts'
import type { ApiRegistry } from '../api-registry.ts'
import { createTypedFields } from '../fields/typed-fields.ts'
import type { KubeObject } from '../kind.ts'
import type { WatchEventType } from '../registry.ts'
import type { Change } from '../storage.ts'
import { invalidOptions, readSelection, readVersion } from './list.ts'
import type { Selection } from './list.ts'
import type { Answer } from './negotiation.ts'
import { isTrue } from './request-info.ts'
import { present } from './served-versions.ts'
import type { Served } from './served-versions.ts'
import { partialMetadata, table } from './table.ts'
import type { IncludeObject } from './table.ts'

/** Watches that one server holds open at most. */
const maxWatches = 2000
/** Bytes that a slow reader may leave unread before its watch ends; it comes back with its last version. */
const maxUnread = 8 * 1024 * 1024
const minTimeoutSeconds = 1800

export interface WatchServer {
  /** Takes over the response. Throws ApiError before anything is written. */
  serve(request: WatchRequest, response: ServerResponse): void
  closeAll(): void
}

export interface WatchRequest {
  readonly served: Served
  readonly namespace: string | undefined
  readonly query: URLSearchParams
  readonly answer: Answer
  readonly include: IncludeObject
  readonly headers: Readonly<Record<string, string | string[]>>
}

export interface WatchTimes {
  readonly bookmarkMilliseconds: number
}

export function createWatchServer(registry: ApiRegistry, times: WatchTimes): WatchServer {
  const open = new Set<() => void>()

  function serve(request: WatchRequest, response: ServerResponse): void {
    const { served, namespace, query } = request
    if (open.size >= maxWatches) throw new ApiError(429, 'TooManyRequests', 'too many watches are open, please try again later', { retryAfterSeconds: 1 })
    const select = inNamespace(namespace, readSelection(served, query))
    const plan = readPlan(query)
    const write = createEventWriter(registry, request, response)
    const timeout = setTimeout(() => close(), plan.timeoutMilliseconds).unref()
    const bookmarks = plan.bookmarks ? setInterval(() => write.bookmark(registry.storage.version, false), times.bookmarkMilliseconds).unref() : undefined
    let unsubscribe = (): void => undefined

    function close(): void {
      if (!open.delete(close)) return
      clearTimeout(timeout)
      clearInterval(bookmarks)
      unsubscribe()
      response.end()
    }
    open.add(close)
    response.on('close', close)
    response.on('error', close)

    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private', 'transfer-encoding': 'chunked', ...request.headers })
    response.flushHeaders()
    const { storage } = registry
    if (plan.from === undefined) {
      for (const object of storage.list(served.kind, namespace)) if (select(object)) write.event('ADDED', object)
      if (plan.initialBookmark) write.bookmark(storage.version, true)
    } else {
      const missed = storage.changesSince(served.kind, plan.from)
      if (missed === undefined) {
        write.error(new ApiError(410, 'Expired', `too old resource version: ${plan.from} (${storage.version})`).status)
        close()
        return
      }
      for (const change of missed) tell(change)
    }
    unsubscribe = storage.subscribe((kind, change) => {
      if (kind === served.kind) tell(change)
    })

    function tell(change: Change): void {
      const event = selectChange(change, select)
      if (event !== undefined) write.event(event.type, event.object)
      if (response.writableLength > maxUnread) close()
    }
  }

  return {
    serve,
    closeAll() {
      for (const close of open) close()
    },
  }
}

interface Plan {
  /** History is told from here; undefined: the present objects come first. */
  readonly from: number | undefined
  readonly initialBookmark: boolean
  readonly bookmarks: boolean
  readonly timeoutMilliseconds: number
}

function readPlan(query: URLSearchParams): Plan {
  const version = readVersion(query)
  const match = query.get('resourceVersionMatch') ?? ''
  const initial = query.has('sendInitialEvents') ? isTrue(query.get('sendInitialEvents')) : undefined
  const forbidden = (field: string, detail: string): ApiError => invalidOptions('ListOptions', [{ reason: 'FieldValueForbidden', field, message: `Forbidden: ${detail}` }])
  if (initial === undefined && match !== '') throw forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
  if (initial !== undefined && match !== 'NotOlderThan') {
    throw match === '' ? forbidden('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
      : invalidOptions('ListOptions', [{ reason: 'FieldValueNotSupported', field: 'resourceVersionMatch', message: `Unsupported value: ${JSON.stringify(match)}: supported values: "NotOlderThan"` }])
  }
  const seconds = Number(query.get('timeoutSeconds') ?? '')
  const timeoutSeconds = Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 24 * 3600) : minTimeoutSeconds * (1 + Math.random())
  const bookmarks = isTrue(query.get('allowWatchBookmarks'))
  const fromNow = initial === true || (initial === undefined && (version === undefined || version === 0))
  return { from: fromNow ? undefined : (version ?? 0), initialBookmark: initial === true && bookmarks, bookmarks, timeoutMilliseconds: timeoutSeconds * 1000 }
}

function inNamespace(namespace: string | undefined, select: Selection): Selection {
  return namespace === undefined ? select : (object) => object.metadata.namespace === namespace && select(object)
}

/** An object that enters the selection is ADDED to it, one that leaves is DELETED from it. */
function selectChange({ type, object, previous, version }: Change, select: Selection): { type: WatchEventType; object: KubeObject } | undefined {
  const was = previous !== undefined && select(previous)
  const is = type !== 'DELETED' && select(object)
  if (was && is) return { type: 'MODIFIED', object }
  if (is) return { type: 'ADDED', object }
  if (!was || previous === undefined) return undefined
  return { type: 'DELETED', object: type === 'DELETED' ? object : { ...previous, metadata: { ...previous.metadata, resourceVersion: String(version) } } }
}

interface EventWriter {
  event(type: WatchEventType, object: KubeObject): void
  bookmark(version: number, initialEnd: boolean): void
  error(status: Status): void
}

function createEventWriter(registry: ApiRegistry, { served, answer, include }: WatchRequest, response: ServerResponse): EventWriter {
  let headers = true
  // A bookmark is an empty object of the kind that carries a version.
  const empty = createTypedFields(registry.schemas).emptyObject(registry.schemas.named(served.schemaName))
  const line = (type: string, object: object): void => {
    response.write(`${JSON.stringify({ type, object })}\n`)
  }
  return {
    event(type, object) {
      if (answer.form.as === 'table') {
        line(type, table(served, [object], { resourceVersion: object.metadata.resourceVersion }, answer.form.version, include, registry.now(), headers))
        headers = false
      } else if (answer.form.as === 'object') line(type, present(served, object))
      else line(type, partialMetadata(object, answer.form.version))
    },
    bookmark(version, initialEnd) {
      const metadata = { resourceVersion: String(version), ...(initialEnd && { annotations: { 'k8s.io/initial-events-end': 'true' } }) }
      if (answer.form.as === 'table') line('BOOKMARK', { kind: 'Table', apiVersion: `meta.k8s.io/${answer.form.version}`, metadata, columnDefinitions: null, rows: [] })
      else if (answer.form.as === 'object') line('BOOKMARK', { kind: served.kind.kind, apiVersion: served.apiVersion, ...empty, metadata })
      else line('BOOKMARK', { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${answer.form.version}`, metadata })
    },
    error: (status) => line('ERROR', status),
  }
}
