import { expect, test } from 'vitest'
import { Coalesce } from '../../src/base/coalesce.ts'
import { fakeClock } from '../support/fake-clock.ts'

function fixture(run?: () => void | Promise<void>) {
  const clock = fakeClock(1000)
  const runs: number[] = []
  const coalesce = new Coalesce({
    clock,
    quiet: 5,
    longest: 20,
    run: () => {
      runs.push(clock.now() - 1000)
      return run?.()
    },
  })
  return { clock, runs, coalesce }
}

test('one mark leads to one run after the quiet time', async () => {
  const { clock, runs, coalesce } = fixture()
  coalesce.mark()
  await clock.advance(4)
  expect(runs).toEqual([])
  await clock.advance(50)
  expect(runs).toEqual([5])
})

test('marks during the quiet time put the run off', async () => {
  const { clock, runs, coalesce } = fixture()
  coalesce.mark()
  await clock.advance(3)
  coalesce.mark()
  await clock.advance(50)
  expect(runs).toEqual([8])
})

test('marks without a pause do not put it off beyond the longest wait', async () => {
  const { clock, runs, coalesce } = fixture()
  for (let ms = 0; ms < 45; ms++) {
    coalesce.mark()
    await clock.advance(1)
  }
  await clock.advance(50)
  expect(runs).toEqual([20, 40, 49])
})

test('a burst sets one timer', () => {
  const { clock, coalesce } = fixture()
  for (let i = 0; i < 1000; i++) coalesce.mark()
  expect(clock.pending).toBe(1)
})

test('runs do not overlap: what is marked during one leads to one more after it', async () => {
  const ends: (() => void)[] = []
  const { clock, runs, coalesce } = fixture(() => new Promise((resolve) => ends.push(resolve)))
  coalesce.mark()
  await clock.advance(5)
  for (let i = 0; i < 3; i++) coalesce.mark()
  await clock.advance(100)
  expect(runs).toEqual([5])
  ends[0]?.()
  await new Promise(setImmediate)
  await clock.advance(100)
  expect(runs).toEqual([5, 105])
  ends[1]?.()
  await clock.advance(100)
  expect(runs).toEqual([5, 105])
})

test('a mark made by the run itself leads to another run', async () => {
  let again = true
  const { clock, runs, coalesce } = fixture(() => {
    if (again) coalesce.mark()
    again = false
  })
  coalesce.mark()
  await clock.advance(50)
  expect(runs).toEqual([5, 10])
})

test('after close nothing runs, and close waits for the run under way', async () => {
  let end = () => {}
  const { clock, runs, coalesce } = fixture(() => new Promise<void>((resolve) => (end = resolve)))
  coalesce.mark()
  await clock.advance(5)
  coalesce.mark()
  let closed = false
  const closing = coalesce.close().then(() => (closed = true))
  await new Promise(setImmediate)
  expect(closed).toBe(false)
  end()
  await closing
  coalesce.mark()
  await clock.advance(100)
  expect(runs).toEqual([5])
})
