// How long to wait before the next try: doubles up to a bound, with jitter so that many do not come back at once.

export interface Backoff {
  /** Milliseconds: between half and all of the present step, which then doubles. */
  next(): number
  /** After a success. */
  reset(): void
}

/** `first` and `most` in milliseconds; `random` like Math.random. */
export function createBackoff(first: number, most: number, random: () => number): Backoff {
  let step = first
  return {
    next() {
      const wait = step * (0.5 + random() / 2)
      step = Math.min(step * 2, most)
      return wait
    },
    reset() {
      step = first
    },
  }
}
