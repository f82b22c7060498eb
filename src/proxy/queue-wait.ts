// The time that a request waits for a connection to an endpoint that has as many as it may have.
import { Timer } from '../base/timer-wheel.ts'
import type { EndpointPool, Waiter } from '../upstream/pool.ts'
import type { Exchange } from './exchange.ts'

export class QueueWait implements Waiter {
  readonly #exchange: Exchange
  #pool: EndpointPool | undefined
  /** Made for the first wait: few requests ever do. */
  #timer: Timer | undefined

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  start(pool: EndpointPool): void {
    if (pool.queueFull) return this.#exchange.fail('queue-full')
    const { wheel, settings } = this.#exchange.context
    this.#pool = pool
    pool.join(this)
    this.#timer ??= new Timer(wheel, { timedOut: () => this.#timedOut() })
    this.#timer.set(settings.pool.queueTimeout)
  }

  /** The request ended otherwise. */
  stop(): void {
    if (this.#pool === undefined) return
    this.#pool.leave(this)
    this.#over()
  }

  turnCame(): void {
    const pool = this.#pool
    if (pool === undefined) return
    this.#over()
    this.#exchange.turnCame(pool)
  }

  #timedOut(): void {
    this.#exchange.fail('queue-timeout')
    this.#exchange.client.flushSoon()
  }

  #over(): void {
    this.#pool = undefined
    this.#timer?.drop()
  }
}
