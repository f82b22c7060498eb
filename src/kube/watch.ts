// One watch: a stream of events from a version on. Knows lines and events, not what becomes of them.
import { ApiFailure, failureOf, readJson } from './api-failure.ts'
import type { Clock } from '../base/clock.ts'
import type { Connection } from './connection.ts'
import type { Selection } from './list.ts'
import { isRecord, record, text } from './raw.ts'

export interface WatchedEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** As it came; untrusted. */
  readonly object: unknown
}

export interface WatchCall {
  readonly connection: Connection
  readonly selection: Selection
  readonly version: string
  /** How long the server is asked to keep the stream, seconds. */
  readonly seconds: number
  /** Longest silence before the stream is given up, milliseconds. */
  readonly idle: number
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onEvent: (event: WatchedEvent) => void
  /** The version to resume from; after events and after bookmarks. */
  readonly onVersion: (version: string) => void
}

/** Longer than any object that etcd takes, with room for JSON escapes. */
const LONGEST_LINE = 32 * 1024 * 1024

/**
 * What a line that can't be read said is lost, and later events would hide that: the stream ends, and only a new list can tell.
 * The text is not quoted: it may be part of a Secret.
 */
export class MalformedFailure extends ApiFailure {
  constructor() {
    super(200, 'Malformed', 'a line of the watch is no event')
  }
}

/** Resolves when the stream has ended in order; rejects with GoneFailure, MalformedFailure, another ApiFailure or a network error. */
export async function watchOnce(call: WatchCall): Promise<void> {
  const silence = new AbortController()
  const signal = AbortSignal.any([call.signal, silence.signal])
  const query = { ...call.selection.query, watch: 'true', resourceVersion: call.version, allowWatchBookmarks: 'true', timeoutSeconds: String(call.seconds) }
  const answer = await call.connection.request({ method: 'GET', path: call.selection.path, query, signal, bodyTimeout: 0 })
  if (answer.status !== 200) {
    await readJson(answer)
    throw new ApiFailure(answer.status, '', `a watch was answered with status ${answer.status}`)
  }
  let cancel = (): void => undefined
  const heard = (): void => {
    cancel()
    cancel = call.clock.after(call.idle, () => silence.abort(new ApiFailure(0, 'Silent', 'the watch has gone silent')))
  }
  try {
    heard()
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of answer.body) {
      heard()
      const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line !== '') takeLine(line, call)
      if (rest.length > LONGEST_LINE) throw new MalformedFailure()
    }
    // A last line without its end was cut; its event comes again, since its version was not reached.
  } finally {
    cancel()
    // Leaving before the end makes the body emit an error that nobody else waits for.
    answer.body.on('error', () => undefined)
    answer.body.destroy()
  }
}

function takeLine(line: string, call: WatchCall): void {
  let event: unknown
  try {
    event = JSON.parse(line)
  } catch {
    throw new MalformedFailure()
  }
  const { type, object } = record(event)
  if (type === 'ERROR') throw failureOf(0, object)
  if (!isRecord(object)) throw new MalformedFailure()
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') call.onEvent({ type, object })
  else if (type !== 'BOOKMARK') throw new MalformedFailure()
  const version = text(record(object['metadata'])['resourceVersion'])
  if (version !== '') call.onVersion(version)
}
