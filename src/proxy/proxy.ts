// The data plane of one thread: listeners, the routing in force, pools, and an orderly end.
import { clientCells, createClientTable, type ClientCells } from '../balance/client-table.ts'
import type { CursorSource } from '../balance/cursor.ts'
import type { Ejection } from '../balance/endpoint-health.ts'
import { localBackendCells, type BackendCells } from '../balance/loads.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { Roster } from '../base/roster.ts'
import { TimerWheel } from '../base/timer-wheel.ts'
import { ReadBuffers } from '../http/read-buffers.ts'
import type { Contexts } from '../http/tls/contexts.ts'
import type { PassOn } from '../http/tls/passthrough.ts'
import { WriteTurn } from '../http/write-turn.ts'
import type { RoutingDelta } from '../model/delta.ts'
import type { ProxySettings } from '../model/settings.ts'
import { emptyRecord, type Recorder } from '../observe/recorder.ts'
import type { Table } from '../table/table.ts'
import { Pools } from '../upstream/pools.ts'
import { ChangeWaits } from './change-wait.ts'
import type { ProxyContext } from './context.ts'
import { admissionCells, createAdmission, type Admission } from './admission.ts'
import { createListeners, type ListenOptions } from './listeners.ts'
import { requestIds } from './request-id.ts'
import { createRouting, updateRouting } from './routing.ts'
import { settingsContext } from './settings-context.ts'

export interface ProxyOptions {
  readonly settings: ProxySettings
  readonly cursors: CursorSource
  /** Where schedulers count; absent: for this proxy alone. */
  readonly cells?: BackendCells
  readonly recorder: Recorder
  readonly clock: Clock
  /** Like Math.random. */
  readonly random: () => number
  readonly log: Log
  /** Needed to listen with TLS. The owner refreshes them after `apply`. */
  readonly contexts?: Contexts
  /** Counts connections; absent: those of this proxy alone. */
  readonly admission?: Admission
  /** Takes the TLS connections of hosts with passthrough; absent: they are closed. */
  readonly passOn?: PassOn
  /** An endpoint is out of use, for all threads. */
  readonly onEjected?: (ejection: Ejection) => void
  /** Which endpoint each client had: without it, known to this thread alone. */
  readonly clients?: ClientCells
}

export interface ConnectionCounts {
  /** Of clients, tunnels included. */
  readonly clients: number
  /** Of those, without a request in flight. */
  readonly idleClients: number
  readonly tunnels: number
  readonly upstream: number
  readonly idleUpstream: number
  /** Requests whose endpoints refused them, and that wait for others. */
  readonly waiting: number
}

export interface Proxy {
  /** The next request is served by the new routing; requests in flight keep theirs, no connection of a client closes. */
  apply(delta: RoutingDelta): void
  /**
   * Requests and connections that begin from now on have these settings; what is open keeps its own, and nothing closes. Stay as they were
   * at the start: limits that threads share (connections, handshakes), health, budgets of retries, clients that are remembered.
   */
  configure(settings: ProxySettings): void
  /** Resolves once connections are accepted; rejects with the system error (EADDRINUSE, EACCES). */
  listen(options: ListenOptions): Promise<{ readonly port: number; readonly address: string }>
  /** The routing in force. */
  table(): Table
  connections(): ConnectionCounts
  /** Closes the listeners. */
  stopAccepting(): void
  /**
   * Stops accepting, closes idle connections, ends the others with their answers; after `timeoutMs` cuts what is left.
   * Resolves with the number of connections that were cut.
   */
  drain(timeoutMs: number): Promise<number>
  /** Everything at once. */
  close(): void
}

export function createProxy(options: ProxyOptions): Proxy {
  const { settings, cursors, cells = localBackendCells(), recorder, clock, random, log, contexts, onEjected = () => undefined } = options
  const { limits } = settings
  const clients = createClientTable(options.clients ?? clientCells(settings.affinityClients, String(random())))
  const admission = options.admission ?? createAdmission(admissionCells(1, limits, () => Math.floor(random() * 2 ** 32)), 0, limits)
  const wheel = new TimerWheel(clock, (now) => {
    // The field has seconds; ticks come ten times as often.
    if (Math.floor(now / 1000) !== Math.floor(context.now / 1000)) context.dateField = dateField(now)
    context.now = now
  })
  const buffers = new ReadBuffers()
  const turn = new WriteTurn()
  const pools = new Pools({
    wheel,
    limits: settings.limits,
    timeouts: settings.timeouts,
    pool: settings.pool,
    buffers,
    turn,
    log,
  })
  const routing = createRouting()
  const context: ProxyContext = {
    ...settingsContext(settings),
    wheel,
    clock,
    recorder,
    record: emptyRecord(),
    log,
    buffers,
    turn,
    newRequestId: requestIds(),
    clients: new Roster(),
    routing,
    changes: new ChangeWaits(),
    now: clock.now(),
    dateField: dateField(clock.now()),
    draining: false,
    tunnels: 0,
  }
  let onEmpty: (() => void) | undefined
  const listeners = createListeners({ context, admission, contexts, passOn: options.passOn }, () => {
    if (context.clients.size === 0) onEmpty?.()
  })

  function close(): void {
    listeners.stopAccepting()
    for (const client of context.clients) client.destroy()
    listeners.closeUnready()
    pools.closeIdle()
    wheel.stop()
  }

  return {
    apply(delta) {
      updateRouting(routing, delta, { pools, cursors, cells, clients, random, clock, settings, onEjected })
      context.changes.changed(delta.backends)
    },
    configure(next) {
      Object.assign(context, settingsContext(next))
      pools.configure(next)
    },
    listen: listeners.listen,
    table: () => routing.table,
    connections() {
      let idleClients = 0
      for (const client of context.clients) if (!client.busy) idleClients++
      const { open, idle } = pools.counts()
      return { clients: context.clients.size, idleClients, tunnels: context.tunnels, upstream: open, idleUpstream: idle, waiting: context.changes.count }
    },
    stopAccepting: listeners.stopAccepting,
    drain(timeoutMs) {
      listeners.stopAccepting()
      context.draining = true
      for (const client of context.clients) client.drain()
      return new Promise((resolve) => {
        const cancel = clock.after(timeoutMs, finish)
        onEmpty = finish
        if (context.clients.size === 0) finish()
        function finish(): void {
          const cut = context.clients.size
          cancel()
          onEmpty = undefined
          close()
          resolve(cut)
        }
      })
    },
    close,
  }
}

function dateField(now: number): string {
  return `Date: ${new Date(now).toUTCString()}\r\n`
}
