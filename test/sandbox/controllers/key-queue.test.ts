import { describe, expect, it } from 'vitest'
import { createKeyQueue } from '../../../src/sandbox/controllers/key-queue.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { settled } from '../support/cluster.ts'

describe('a queue of keys', () => {
  it('reconciles a key once for many additions, in the same tick', async () => {
    const done: string[] = []
    const queue = createKeyQueue({ clock: fakeClock(), reconcile: (key) => void done.push(key), failed: () => undefined })
    queue.add('a')
    queue.add('b')
    queue.add('a')
    expect(done).toEqual([])
    await Promise.resolve()
    expect(done).toEqual(['a', 'b'])
    queue.close()
  })

  it('tries a failed key again, later and later', async () => {
    const clock = fakeClock()
    const at: number[] = []
    const queue = createKeyQueue({
      clock,
      reconcile: () => {
        at.push(clock.now())
        throw new Error('no')
      },
      failed: () => undefined,
    })
    queue.add('a')
    await settled()
    await clock.advance(100)
    expect(at).toEqual([0, 5, 15, 35, 75])
    queue.close()
    expect(clock.pending).toBe(0)
  })

  it('holds the back-off of a key that wakes itself and fails', async () => {
    const clock = fakeClock()
    let runs = 0
    const queue = createKeyQueue({
      clock,
      reconcile: (key) => {
        runs++
        queueMicrotask(() => queue.add(key))
        throw new Error('no')
      },
      failed: () => undefined,
    })
    queue.add('a')
    for (let turn = 0; turn < 20; turn++) await settled()
    expect(runs).toBeLessThan(6)
    queue.close()
  })

  it('lets the event loop turn when keys feed each other for ever', async () => {
    let runs = 0
    const queue = createKeyQueue({ clock: fakeClock(), reconcile: (key) => void (runs++, queue.add(`${key}x`.slice(-5))), failed: () => undefined })
    queue.add('x')
    await settled()
    expect(runs).toBeGreaterThan(0)
    queue.close()
  })
})
