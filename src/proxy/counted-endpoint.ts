// The endpoint that a scheduler counts a request for, until it hears that the request is over: exactly once, whatever way it ends.
import type { LiveBackend } from './routing.ts'

export class CountedEndpoint {
  #backend: LiveBackend | undefined
  #index = -1
  #since = 0

  /** `backend.counts`, and its scheduler has just picked this index. */
  take(backend: LiveBackend, index: number): void {
    this.#backend = backend
    this.#index = index
    this.#since = performance.now()
  }

  /** The endpoint has answered in full. */
  answered(): void {
    if (this.#backend !== undefined) this.#end(performance.now() - this.#since)
  }

  /** If it is counted yet, it is over in a way that says nothing of how fast the endpoint is. */
  leave(): void {
    if (this.#backend !== undefined) this.#end(-1)
  }

  #end(milliseconds: number): void {
    const backend = this.#backend
    this.#backend = undefined
    backend?.scheduler.finished?.(backend.backend.endpoints, this.#index, milliseconds)
  }
}
