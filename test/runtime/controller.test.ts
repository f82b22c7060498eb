import { expect, test } from 'vitest'
import type { RoutingConfig } from '../../src/model/routing.ts'
import { createController, type Translated } from '../../src/runtime/controller.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { configOf } from './configs.ts'

interface Found extends Translated {
  readonly run: number
}

function fixture(overrides: { translate?: (run: number) => Partial<Found>; apply?: (config: RoutingConfig) => Promise<void> } = {}) {
  const clock = fakeClock(1_000_000)
  const applied: RoutingConfig[] = []
  const published: number[] = []
  const lines: string[] = []
  let runs = 0
  const controller = createController<Found>({
    clock,
    translate: () => {
      runs++
      return { config: configOf({ [`host-${runs}`]: [1] }), nextDate: undefined, run: runs, ...overrides.translate?.(runs) }
    },
    apply: async (config) => {
      await overrides.apply?.(config)
      applied.push(config)
    },
    publish: ({ run }) => published.push(run),
    log: (level, message) => lines.push(`${level} ${message}`),
  })
  return { clock, controller, applied, published, lines }
}

test('start translates, applies, then publishes', async () => {
  const { controller, applied, published } = fixture()
  expect(controller.current()).toBeUndefined()
  await controller.start()
  expect([applied.length, published, controller.current()?.run]).toEqual([1, [1], 1])
})

test('a burst of changes is one run', async () => {
  const { clock, controller, published } = fixture()
  await controller.start()
  for (let i = 0; i < 100; i++) controller.markDirty()
  await clock.advance(4)
  expect(published).toEqual([1])
  await clock.advance(100)
  expect(published).toEqual([1, 2])
})

test('changes before the start are part of it; a change during the start leads to a run after it', async () => {
  let during = () => {}
  const { clock, controller, published } = fixture({ apply: async () => during() })
  controller.markDirty()
  await controller.start()
  await clock.advance(100)
  expect(published).toEqual([1])
  const other = fixture({ apply: async () => during() })
  during = () => {
    during = () => {}
    other.controller.markDirty()
  }
  await other.controller.start()
  await other.clock.advance(100)
  expect(other.published).toEqual([1, 2])
})

test('nothing is published before all threads serve it', async () => {
  let serve = () => {}
  const { controller, published } = fixture({ apply: () => new Promise((resolve) => (serve = resolve)) })
  const starting = controller.start()
  await new Promise(setImmediate)
  expect([published, controller.current()]).toEqual([[], undefined])
  serve()
  await starting
  expect(published).toEqual([1])
})

test('a run that fails leaves the translation before, is counted and logged; the next change is served', async () => {
  const { clock, controller, lines, published } = fixture({
    translate: (run) => {
      if (run === 2) throw new Error('bug')
      return {}
    },
  })
  await controller.start()
  controller.markDirty()
  await clock.advance(100)
  expect([controller.current()?.run, controller.figures().failures, lines.filter((line) => line.startsWith('error')).length]).toEqual([1, 1, 1])
  controller.markDirty()
  await clock.advance(100)
  expect(published).toEqual([1, 3])
})

test('a start that fails rejects', async () => {
  const { controller } = fixture({ apply: () => Promise.reject(new Error('EADDRINUSE')) })
  await expect(controller.start()).rejects.toThrow('EADDRINUSE')
})

test('it translates again at the next date, though nothing changed', async () => {
  const { clock, controller, published } = fixture({ translate: (run) => ({ nextDate: run === 1 ? 1_060_000 : undefined }) })
  await controller.start()
  await clock.advance(59_999)
  expect(published).toEqual([1])
  await clock.advance(10)
  expect(published).toEqual([1, 2])
  expect(clock.pending).toBe(0)
})

test('a date in the past makes no busy loop, one beyond the reach of timers is no problem', async () => {
  const { clock, controller, published } = fixture({ translate: (run) => ({ nextDate: run < 3 ? 0 : Number.MAX_SAFE_INTEGER }) })
  await controller.start()
  await clock.advance(1500)
  expect(published.length).toBe(2)
  await clock.advance(86_400_000)
  expect(published.length).toBeLessThan(5)
  await controller.close()
})

test('figures tell how often and how long, the last runs only', async () => {
  const { clock, controller } = fixture()
  await controller.start()
  for (let i = 0; i < 70; i++) {
    controller.markDirty()
    await clock.advance(10)
  }
  const { runs, recent, translateMs } = controller.figures()
  expect([runs, recent.length]).toEqual([71, 64])
  expect(recent.at(-1)?.at).toBeGreaterThan(recent[0]?.at ?? Infinity)
  expect(translateMs).toBeGreaterThan(0)
})

test('after close nothing runs and no timer is left', async () => {
  const { clock, controller, published } = fixture({ translate: () => ({ nextDate: 2_000_000 }) })
  await controller.start()
  controller.markDirty()
  await controller.close()
  await clock.advance(10_000_000)
  expect([published, clock.pending]).toEqual([[1], 0])
})
