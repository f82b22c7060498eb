// Keeps one kind of the store like the API server has it: list, then watch from there, for ever. Whatever goes wrong, the
// objects that are known stay until a new list says otherwise.
import { createBackoff } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { ApiFailure, GoneFailure } from './api-failure.ts'
import type { Connection } from './connection.ts'
import { listAll, type Selection } from './list.ts'
import { keyOf } from './objects.ts'
import type { Resource } from './resource.ts'
import { trim, type KubeObject } from './trim.ts'
import type { StoreEvent } from './store.ts'
import type { Trouble } from './trouble.ts'
import { MalformedFailure, watchOnce, type WatchedEvent } from './watch.ts'

export interface ReflectorOptions {
  readonly connection: Connection
  readonly resource: Resource
  readonly selection: Selection
  readonly apply: (event: StoreEvent) => void
  /** The whole of what the selection has. */
  readonly replace: (objects: readonly KubeObject[]) => void
  readonly trouble: Trouble
  readonly log: Log
  readonly clock: Clock
  readonly random: () => number
}

export interface ReflectorFacts {
  readonly kind: string
  readonly lists: number
  readonly watches: number
  readonly events: number
  readonly malformed: number
}

export interface Reflector {
  /** Resolves after the first complete list. Never rejects. */
  readonly synced: Promise<void>
  facts(): ReflectorFacts
  stop(): Promise<void>
}

/** Milliseconds. The first wait is 0.8 to 1.6 s, the longest 15 to 30 s. */
const FIRST_WAIT = 1_600
const LONGEST_WAIT = 30_000
/** Real API servers send a bookmark about once a minute. */
const IDLE = 180_000
/** A stream that ends sooner than this without an event did not work, whatever its status was. */
const SHORT_STREAM = 1_000

export function startReflector(options: ReflectorOptions): Reflector {
  const { connection, resource, selection, clock, random, trouble } = options
  const stopping = new AbortController()
  const { signal } = stopping
  const backoff = createBackoff(FIRST_WAIT, LONGEST_WAIT, random)
  const synced = Promise.withResolvers<void>()
  const facts = { kind: resource.kind, lists: 0, watches: 0, events: 0, malformed: 0 }
  /** Where the next watch goes on from; undefined: a list is due. */
  let version: string | undefined
  /** A second 410 without an event in between waits: a server in trouble must not be listed in a loop. */
  let goneInARow = 0

  async function list(): Promise<void> {
    const listing = await listAll(connection, resource, selection, signal)
    facts.lists++
    options.replace(listing.objects)
    version = listing.version
    synced.resolve()
    trouble.recovered(resource)
  }

  function take(event: WatchedEvent): void {
    facts.events++
    const object = trim(resource.kind, event.object)
    if (object === undefined) throw new MalformedFailure()
    if (event.type === 'DELETED') options.apply({ type: 'delete', kind: resource.kind, key: keyOf(object.meta) })
    else options.apply({ type: 'set', object })
  }

  async function watch(from: string): Promise<void> {
    facts.watches++
    const begun = clock.now()
    const before = { events: facts.events, version }
    await watchOnce({
      connection,
      selection,
      version: from,
      seconds: 300 + Math.floor(random() * 300),
      idle: IDLE,
      clock,
      signal,
      onEvent: take,
      onVersion: (reached) => {
        version = reached
        goneInARow = 0
        backoff.reset()
      },
    })
    trouble.recovered(resource)
    if (facts.events === before.events && version === before.version && clock.now() - begun < SHORT_STREAM) await pause(backoff.next())
  }

  async function turn(): Promise<void> {
    const verb = version === undefined ? 'list' : 'watch'
    try {
      await (version === undefined ? list() : watch(version))
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof GoneFailure) {
        version = undefined
        if (goneInARow++ > 0) await pause(backoff.next())
        return
      }
      if (error instanceof MalformedFailure) {
        facts.malformed++
        version = undefined
      }
      // A silent stream is closed by ourselves and goes on from where it was.
      if (error instanceof ApiFailure && error.reason === 'Silent') options.log('debug', `watch of ${resource.plural}: ${error.message}, it is begun again`)
      else trouble.failed(resource, verb, error)
      await pause(Math.max(backoff.next(), error instanceof ApiFailure ? error.retryAfter : 0))
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve()
        return
      }
      const cancel = clock.after(ms, done)
      signal.addEventListener('abort', done, { once: true })
      function done(): void {
        cancel()
        signal.removeEventListener('abort', done)
        resolve()
      }
    })
  }

  async function run(): Promise<void> {
    while (!signal.aborted) await turn()
  }

  const running = run()
  return {
    synced: synced.promise,
    facts: () => ({ ...facts }),
    async stop() {
      stopping.abort()
      await running
    },
  }
}
