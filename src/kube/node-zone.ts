// The zone of one node: read once, since a node's topology labels do not change while it exists.
import { createBackoff } from '../base/backoff.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { readJson } from './api-failure.ts'
import type { Connection } from './connection.ts'
import { optionalText, record } from './raw.ts'
import { rbacRule } from './resource.ts'

const ZONE_LABEL = 'topology.kubernetes.io/zone'
const TRY_TIMEOUT_MS = 5000
const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 300_000

export interface NodeZoneOptions {
  readonly connection: Connection
  /** Name of the node. */
  readonly node: string
  readonly log: Log
  /** Called once, when the node has been read and has a zone. */
  readonly onZone: (zone: string) => void
  readonly clock?: Clock
  readonly random?: () => number
}

export interface NodeZone {
  /** The first try is over. Never rejects. */
  readonly tried: Promise<void>
  stop(): void
}

/** Reads the Node, again and again until it could be read. */
export function startNodeZone({ connection, node, log, onZone, clock = systemClock, random = Math.random }: NodeZoneOptions): NodeZone {
  const stopping = new AbortController()
  const backoff = createBackoff(FIRST_WAIT_MS, LONGEST_WAIT_MS, random)
  let cancel: (() => void) | undefined
  let told = ''

  async function read(): Promise<void> {
    try {
      const zone = await readZone(connection, node, AbortSignal.any([stopping.signal, AbortSignal.timeout(TRY_TIMEOUT_MS)]))
      if (!stopping.signal.aborted && zone !== undefined) onZone(zone)
    } catch (error) {
      if (stopping.signal.aborted) return
      const message = error instanceof Error ? error.message : String(error)
      // The same trouble once: it may last.
      if (message !== told) {
        log('warn', 'the zone of our node is not known, so endpoints of all zones are alike; it needs this rule, a Node of that name, or --zone', { node, error: message, rule: rbacRule('', 'nodes', ['get']) })
      }
      told = message
      cancel = clock.after(backoff.next(), () => void read())
    }
  }

  return {
    tried: read(),
    stop() {
      stopping.abort()
      cancel?.()
    },
  }
}

/** undefined: the node has no zone. Rejects with ApiFailure or a network error. */
async function readZone(connection: Connection, node: string, signal: AbortSignal): Promise<string | undefined> {
  const object = record(await readJson(await connection.request({ method: 'GET', path: `/api/v1/nodes/${encodeURIComponent(node)}`, query: {}, signal })))
  return optionalText(record(record(object['metadata'])['labels'])[ZONE_LABEL])
}
