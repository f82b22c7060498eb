import { afterEach, expect, test } from 'vitest'
import { ApiFailure } from '../../src/kube/api-failure.ts'
import { WriteQueue, type WriteQueueOptions } from '../../src/status/write-queue.ts'
import { fakeClock } from '../support/fake-clock.ts'

const queues: WriteQueue[] = []
afterEach(async () => {
  for (const queue of queues.splice(0)) await queue.stop()
})

function rig(options: Partial<WriteQueueOptions> = {}) {
  const clock = fakeClock()
  const queue = new WriteQueue({ clock, random: () => 0, parallel: 2, burst: 100, perSecond: 100, longest: 10, onFailure: () => 'retry', ...options })
  queues.push(queue)
  return { clock, queue }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('no more writes at once than allowed, and no two of one key', async () => {
  const { queue } = rig()
  let running = 0
  let most = 0
  const ends: (() => void)[] = []
  const begun: string[] = []
  const write = (key: string) => async (): Promise<void> => {
    begun.push(key)
    most = Math.max(most, ++running)
    await new Promise<void>((resolve) => ends.push(resolve))
    running--
  }
  for (const key of ['a', 'a', 'b', 'c']) queue.put(key, write(key))
  await turn()
  expect(begun).toEqual(['a', 'b'])
  while (ends.length > 0) {
    ends.shift()?.()
    await turn()
  }
  expect(begun).toEqual(['a', 'b', 'a', 'c'])
  expect(most).toBe(2)
})

test('of several writes of one key that wait only the last is made', async () => {
  const { queue } = rig({ parallel: 1 })
  const done: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  queue.put('busy', () => promise)
  for (const text of ['one', 'two', 'three']) queue.put('a', async () => void done.push(text))
  resolve()
  await turn()
  expect(done).toEqual(['three'])
})

test('a failed write comes again after a wait, but not instead of a newer one', async () => {
  const { queue, clock } = rig({ parallel: 1 })
  const done: string[] = []
  const { promise, reject } = Promise.withResolvers<void>()
  queue.put('a', () => promise)
  queue.put('a', async () => void done.push('newer'))
  reject(new ApiFailure(500, '', 'x'))
  await turn()
  expect(done).toEqual([])
  await clock.advance(1_000)
  expect(done).toEqual(['newer'])
})

test('what is given up is not made again', async () => {
  let tries = 0
  const { queue, clock } = rig({ onFailure: (_, __, count) => (count < 3 ? 'retry' : 'drop') })
  queue.put('a', async () => {
    tries++
    throw new ApiFailure(409, 'Conflict', 'x')
  })
  for (let i = 0; i < 10; i++) {
    await turn()
    await clock.advance(6_000)
  }
  expect(tries).toBe(3)
})

test('a full queue drops what has waited longest', async () => {
  const { queue, clock } = rig({ burst: 1, perSecond: 1, longest: 3, parallel: 1 })
  const done: string[] = []
  for (const key of ['first', 'b', 'c', 'd', 'e']) queue.put(key, async () => void done.push(key))
  for (let i = 0; i < 20; i++) await clock.advance(1_000)
  expect(done).toEqual(['first', 'c', 'd', 'e'])
})

test('writes under way are told to end on stop, and nothing begins after it', async () => {
  const { queue, clock } = rig({ parallel: 1 })
  let aborted = false
  const done: string[] = []
  queue.put('a', (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => {
    aborted = true
    reject(new Error('aborted'))
  })))
  queue.put('b', async () => void done.push('b'))
  await queue.stop()
  queue.put('c', async () => void done.push('c'))
  await clock.advance(10_000)
  expect([aborted, done]).toEqual([true, []])
  expect(clock.pending).toBe(0)
})
