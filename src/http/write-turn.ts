// Writes of one thread gathered until what arrived together is read: then they go out one after the other.
// A write wakes whom it is for. Spread out between reads, each wakes a process that has just gone to sleep again; back to back, they find it awake.

export interface Gathered {
  /** Writes what was gathered, if anything is left. */
  flush(): void
}

export class WriteTurn {
  #waiting: Gathered[] = []
  #spare: Gathered[] = []
  readonly #run = (): void => {
    const waiting = this.#waiting
    this.#waiting = this.#spare
    for (let i = 0; i < waiting.length; i++) waiting[i]?.flush()
    waiting.length = 0
    this.#spare = waiting
  }

  /** Calls `flush` once this turn of the event loop has read all sockets. */
  add(writer: Gathered): void {
    if (this.#waiting.push(writer) === 1) setImmediate(this.#run)
  }
}
