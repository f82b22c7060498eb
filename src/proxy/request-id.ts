// Request ids: 32 hex digits from the kernel's generator, drawn many at a time.
import { randomFillSync } from 'node:crypto'

const SIZE = 16
const BATCH = 256

/** A source of its own for each thread. `fill` is for tests. */
export function requestIds(fill: (bytes: Buffer) => void = randomFillSync): () => string {
  const bytes = Buffer.allocUnsafeSlow(SIZE * BATCH)
  let next = bytes.length
  return () => {
    if (next === bytes.length) {
      fill(bytes)
      next = 0
    }
    const start = next
    next += SIZE
    return bytes.toString('hex', start, next)
  }
}
