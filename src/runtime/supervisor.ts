// The supervisor: as many threads as asked for, all on the same ports with the same table; one that dies is replaced.
import { createClientTable } from '../balance/client-table.ts'
import { createBackoff, type Backoff } from '../base/backoff.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import { diffRouting, isEmptyDelta, wholeRouting } from '../model/delta.ts'
import { EMPTY_ROUTING, type RoutingConfig } from '../model/routing.ts'
import type { ProxySettings } from '../model/settings.ts'
import { forgetThread } from '../proxy/admission.ts'
import type { KeyedRequest } from '../proxy/request-key.ts'
import type { DataPlane, DataPlaneOptions, DataPlaneStats } from './data-plane.ts'
import { createFigureCollector } from './figure-collector.ts'
import { foresee, type Foreseen } from './foresight.ts'
import { createHealthLedger } from './health-ledger.ts'
import type { FromThread } from './messages.ts'
import type { ClaimedPorts } from './ports.ts'
import { createSharedMemory } from './shared-memory.ts'
import { createStartFacts } from './start-facts.ts'
import { createStreamTroubles } from './stream-troubles.ts'
import { DataPlaneThread } from './thread.ts'
import { createVersionWaiters } from './version-waiters.ts'

const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)
const FIRST_RESTART_MS = 50
const LONGEST_RESTART_MS = 10_000
/** A thread that lived this long was not ill from its start. */
const HEALTHY_MS = 30_000
/** A thread that does not serve a version for so long hangs: it is ended, so that it can't hold up all that follow. */
const PATIENCE_MS = 30_000
/** Beyond the time given to drain, for the answer to arrive. */
const DRAIN_GRACE_MS = 500
const CLOSE_GRACE_MS = 500

export class Supervisor implements DataPlane {
  readonly ports: readonly number[]
  readonly #options: DataPlaneOptions
  readonly #clock: Clock
  readonly #backoff: Backoff
  readonly #claimed: ClaimedPorts
  readonly #facts
  readonly #memory = createSharedMemory<DataPlaneThread>()
  readonly #troubles = createStreamTroubles()
  readonly #ledger
  readonly #figures
  readonly #waiters
  readonly #threads = new Set<DataPlaneThread>()
  readonly #drained = new Map<DataPlaneThread, (cut: number) => void>()
  readonly #restartTimers = new Set<() => void>()
  #config: RoutingConfig = EMPTY_ROUTING
  #settings: ProxySettings
  /** Of the configuration last given; 0: none was yet. */
  #version = 0
  #restarts = 0
  #mode: 'starting' | 'serving' | 'draining' | 'closed' = 'starting'
  #startFailure: Error | undefined

  constructor(options: DataPlaneOptions, claimed: ClaimedPorts) {
    this.#options = options
    this.#claimed = claimed
    this.#clock = options.clock ?? systemClock
    this.#figures = createFigureCollector(this.#clock)
    this.#waiters = createVersionWaiters(this.#clock, PATIENCE_MS)
    this.#backoff = createBackoff(FIRST_RESTART_MS, LONGEST_RESTART_MS, options.random ?? Math.random)
    this.ports = claimed.listeners.map(({ port }) => port)
    const threads = claimed.reusePort ? options.threads : 1
    const settings = options.settings(this.ports)
    this.#settings = settings
    this.#facts = createStartFacts({
      settings,
      threads,
      claimed,
      defaultCertificate: options.defaultCertificate,
      accessLog: options.accessLog !== undefined,
      clock: this.#clock,
      onTicketKeys: (keys) => {
        for (const thread of this.#threads) if (thread.isFed) thread.post({ kind: 'ticket-keys', keys })
      },
    })
    this.#ledger = createHealthLedger({ clock: this.#clock, random: options.random ?? Math.random, log: options.log, endpoints: this.#memory.endpoints, slowStart: settings.health.slowStart })
    if (threads < options.threads) options.log('warn', 'threads cannot share a port on this system: one thread serves', {})
    for (let index = 0; index < threads; index++) this.#boot(index, true)
  }

  async apply(next: RoutingConfig, settings = this.#settings): Promise<void> {
    this.#assertUsable()
    const delta = diffRouting(this.#config, next)
    const isFirst = this.#version === 0
    const changed = settings === this.#settings ? undefined : this.#facts.configure(settings)
    if (isFirst || changed !== undefined || !isEmptyDelta(delta, this.#config)) {
      this.#settings = settings
      this.#config = next
      this.#version++
      const memory = this.#memory.update(delta, this.#version)
      if (delta.backends.set.length + delta.backends.deleted.length > 0) this.#ledger.watch(next)
      for (const thread of this.#threads) {
        if (thread.isFed) thread.post({ kind: 'apply', update: { version: this.#version, delta, memory: memory(thread), settings: changed } })
      }
      if (isFirst) {
        await this.#feedAll()
        this.#assertUsable()
      }
    }
    const version = this.#version
    const served = this.#waiters.wait(version, () => this.#endLaggards(version))
    this.#settle()
    await served
  }

  async stats(): Promise<DataPlaneStats> {
    const figures = await this.#figures.collect(this.#serving(), this.#config)
    // Asked after the wait, so that all of it is of one moment.
    const serving = this.#serving()
    const version = Math.min(this.#version, ...serving.map(({ acknowledged }) => acknowledged))
    const busyMs = serving.map((thread) => [thread.index, thread.busyMs()] as const)
    const inFlight = this.#memory.endpoints.inFlight()
    return { ...figures, ...this.#ledger.figures(this.#config), inFlight, busyMs, threads: serving.length, restarts: this.#restarts, version }
  }

  streamTroubles(): ReadonlyMap<string, string> {
    return this.#troubles.current(this.#config.streams)
  }

  foresee(backendId: string, request: KeyedRequest): Foreseen | undefined {
    const backend = this.#config.backends.get(backendId)
    return backend === undefined ? undefined : foresee(backend, request, createClientTable(this.#facts.current().clients), this.#clock.now())
  }

  setTicketSecret(secret: Uint8Array | undefined): void {
    this.#facts.setTicketSecret(secret)
  }

  async drain(ms: number): Promise<number> {
    if (this.#mode !== 'closed') this.#mode = 'draining'
    const cuts = await Promise.all(this.#serving().map((thread) => this.#drainOne(thread, ms)))
    return cuts.reduce((sum, cut) => sum + cut, 0)
  }

  async close(): Promise<void> {
    this.#mode = 'closed'
    this.#facts.close()
    this.#waiters.rejectAll(new Error('the data plane is closed'))
    for (const cancel of this.#restartTimers) cancel()
    this.#ledger.close()
    await this.#claimed.release()
    await Promise.all([...this.#threads].map((thread) => thread.end(CLOSE_GRACE_MS)))
  }

  #assertUsable(): void {
    if (this.#mode === 'closed') throw new Error('the data plane is closed')
    if (this.#startFailure !== undefined) throw this.#startFailure
  }

  #serving(): DataPlaneThread[] {
    return [...this.#threads].filter(({ state }) => state === 'serving')
  }

  async #feedAll(): Promise<void> {
    // Before any of them listens: a connection that came to our side of a shared port would be reset, though another thread could serve it.
    await this.#claimed.release()
    for (const thread of this.#threads) if (thread.state === 'booted') this.#feed(thread)
  }

  /** Gives the whole table to a thread that has none. */
  #feed(thread: DataPlaneThread): void {
    thread.state = 'starting'
    const update = { version: this.#version, delta: wholeRouting(this.#config), memory: this.#memory.whole(thread), settings: undefined }
    thread.post({ kind: 'start', start: { ...this.#facts.current(), thread: thread.index }, update })
  }

  #endLaggards(version: number): void {
    for (const thread of this.#threads) {
      if (thread.counted && thread.acknowledged < version) thread.fail(new Error(`it did not serve version ${version} of the table within ${PATIENCE_MS / 1000} s`))
    }
  }

  #settle(): void {
    const counted = [...this.#threads].filter((thread) => thread.counted)
    if (counted.length > 0) this.#waiters.served(Math.min(...counted.map(({ acknowledged }) => acknowledged)))
  }

  #boot(index: number, counted: boolean): void {
    const bornAt = this.#clock.now()
    const thread = new DataPlaneThread(index, this.#options.entry ?? ENTRY, counted, {
      onMessage: (from, message) => this.#hear(from, message),
      onGone: (gone) => {
        if (this.#clock.now() - bornAt > HEALTHY_MS) this.#backoff.reset()
        this.#lost(gone)
      },
    })
    this.#threads.add(thread)
  }

  #hear(thread: DataPlaneThread, message: FromThread): void {
    switch (message.kind) {
      case 'booted':
        thread.state = 'booted'
        if (this.#version > 0) this.#feed(thread)
        return
      case 'serving':
        return this.#listening(thread, message.version)
      case 'applied':
        return this.#acknowledge(thread, message.version)
      case 'counters':
        return this.#figures.learn(thread, message.news)
      case 'figures':
        return this.#figures.answered(thread, message.id)
      case 'drained':
        return this.#drained.get(thread)?.(message.cut)
      case 'closed':
        return thread.terminate()
      case 'failed':
        return thread.fail(Object.assign(new Error(message.message), { code: message.code }))
      case 'log':
        return this.#options.log(message.level, message.message, { ...message.facts, thread: thread.index })
      case 'ejected':
        return this.#ledger.ejected(message.ejection)
      case 'stream-trouble':
        return this.#troubled(thread, message.id, message.code)
      case 'access':
        this.#options.accessLog?.(message.lines)
        return thread.post({ kind: 'access-written', characters: message.lines.length })
    }
  }

  #listening(thread: DataPlaneThread, version: number): void {
    if (this.#mode === 'draining' || this.#mode === 'closed') return thread.terminate()
    thread.state = 'serving'
    thread.counted = true
    if (this.#mode === 'starting' && this.#serving().length === this.#threads.size) {
      this.#mode = 'serving'
    }
    this.#acknowledge(thread, version)
  }

  #troubled(thread: DataPlaneThread, id: string, code: string | undefined): void {
    if (!this.#troubles.learn(thread, id, code)) return
    if (code !== undefined) this.#options.log('warn', 'the port of a TCP or UDP service can not be listened on and is tried again', { stream: id, code })
    this.#options.onStreamTrouble?.()
  }

  #acknowledge(thread: DataPlaneThread, version: number): void {
    thread.acknowledged = Math.max(thread.acknowledged, version)
    const fed = [...this.#threads].filter(({ isFed }) => isFed)
    this.#memory.acknowledged(Math.min(...fed.map(({ acknowledged }) => acknowledged)))
    this.#settle()
  }

  #lost(thread: DataPlaneThread): void {
    this.#threads.delete(thread)
    this.#figures.retire(thread)
    this.#memory.lost(thread)
    this.#troubles.forget(thread)
    forgetThread(this.#facts.current().admission, thread.index)
    this.#drained.get(thread)?.(0)
    if (this.#mode === 'closed' || this.#mode === 'draining') return
    const error = thread.reason ?? new Error('it ended without an error')
    if (this.#mode === 'starting') {
      this.#startFailure ??= error
      return this.#waiters.rejectAll(this.#startFailure)
    }
    this.#settle()
    this.#restarts++
    const wait = this.#backoff.next()
    this.#options.log('error', 'data-plane thread ended and is replaced', { thread: thread.index, error: error.message, afterMs: Math.round(wait) })
    const cancel = this.#clock.after(wait, () => {
      this.#restartTimers.delete(cancel)
      if (this.#mode === 'serving') this.#boot(thread.index, false)
    })
    this.#restartTimers.add(cancel)
  }

  async #drainOne(thread: DataPlaneThread, ms: number): Promise<number> {
    let cancel = () => {}
    const cut = await new Promise<number>((resolve) => {
      this.#drained.set(thread, resolve)
      cancel = this.#clock.after(ms + DRAIN_GRACE_MS, () => resolve(0))
      thread.post({ kind: 'drain', ms })
    })
    cancel()
    this.#drained.delete(thread)
    return cut
  }
}
