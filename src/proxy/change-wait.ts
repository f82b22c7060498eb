// The time that a request waits for other endpoints when those of its backend refuse the connection: pods are often gone a moment before
// anybody hears of it, and of those that come in their place.
import type { FailureKind } from '../base/failure.ts'
import { Timer } from '../base/timer-wheel.ts'
import type { RoutingDelta } from '../model/delta.ts'
import type { Exchange } from './exchange.ts'
import type { LiveBackend } from './routing.ts'

/** Of one thread: who waits for a change of which backend. */
export class ChangeWaits {
  /** By Backend.id. */
  readonly #waiting = new Map<string, Set<ChangeWait>>()
  count = 0

  add(id: string, wait: ChangeWait): void {
    const others = this.#waiting.get(id)
    if (others === undefined) this.#waiting.set(id, new Set([wait]))
    else others.add(wait)
    this.count++
  }

  remove(id: string, wait: ChangeWait): void {
    const all = this.#waiting.get(id)
    if (all?.delete(wait) !== true) return
    this.count--
    if (all.size === 0) this.#waiting.delete(id)
  }

  /** After the routing has changed. */
  changed({ set, deleted }: RoutingDelta['backends']): void {
    if (this.count === 0) return
    for (const id of deleted) this.#wake(id)
    for (const [id] of set) this.#wake(id)
  }

  #wake(id: string): void {
    const woken = this.#waiting.get(id)
    if (woken === undefined) return
    // Those that begin to wait again are not among them.
    this.#waiting.delete(id)
    this.count -= woken.size
    for (const wait of woken) wait.changed(id)
  }
}

export class ChangeWait {
  readonly #exchange: Exchange
  readonly #timer: Timer
  #id: string | undefined
  #kind: FailureKind = 'connect-failed'
  /** Milliseconds since the epoch, however often it waits; 0: it has not yet. */
  #until = 0

  constructor(exchange: Exchange) {
    this.#exchange = exchange
    this.#timer = new Timer(exchange.context.wheel, { timedOut: () => this.#timedOut() })
  }

  /** `kind`: what it fails with otherwise. False: it does not wait. Where endpoints have refused for as long as a request may wait, none waits any more until they change. */
  start({ backend: { id }, refusing }: LiveBackend, kind: FailureKind): boolean {
    const { changes, now, settings: { pool: { changeWait, changeWaiters } } } = this.#exchange.context
    if (refusing.since < 0) refusing.since = now
    if (this.#until === 0) this.#until = now + changeWait
    const left = Math.min(this.#until, refusing.since + changeWait) - now
    if (left <= 0 || changes.count >= changeWaiters) return false
    this.#id = id
    this.#kind = kind
    changes.add(id, this)
    this.#timer.set(left)
    return true
  }

  /** The request is over. */
  stop(): void {
    this.#until = 0
    this.#leave()
  }

  changed(id: string): void {
    this.#id = undefined
    this.#timer.drop()
    this.#exchange.backendChanged(this.#exchange.context.routing.backends.get(id), this.#kind)
  }

  #timedOut(): void {
    this.#leave()
    this.#exchange.fail(this.#kind)
    this.#exchange.client.flushSoon()
  }

  #leave(): void {
    if (this.#id === undefined) return
    this.#exchange.context.changes.remove(this.#id, this)
    this.#id = undefined
    this.#timer.drop()
  }
}
