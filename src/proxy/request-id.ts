// Request ids: 32 hex digits from the kernel's generator, drawn many at a time.
import { randomFillSync } from 'node:crypto'

const SIZE = 16
const DIGITS = 2 * SIZE
const BATCH = 256

/** A source of its own for each thread. `fill` is for tests. */
export function requestIds(fill: (bytes: Buffer) => void = randomFillSync): () => string {
  const bytes = Buffer.allocUnsafeSlow(SIZE * BATCH)
  let digits = ''
  let next = 0
  return () => {
    if (next === digits.length) {
      fill(bytes)
      digits = bytes.toString('hex')
      next = 0
    }
    const start = next
    next += DIGITS
    return digits.slice(start, next)
  }
}
