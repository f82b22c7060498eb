// When names are asked for again, and what holds meanwhile: on a clock that stands still, with answers that the test gives.
import { describe, expect, test } from 'vitest'
import { LookupFailure, type Found } from '../../src/dns/lookup.ts'
import { createNames, type NameSettings } from '../../src/dns/names.ts'
import { fakeClock } from '../support/fake-clock.ts'

const SETTINGS: NameSettings = { minTtl: 5000, maxTtl: 300_000, keep: 60_000, most: 3 }
const found = (ttl: number, ...addresses: string[]): Found => ({ addresses, ttl })
const silence = new LookupFailure('TIMEOUT')
const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate)
}

interface Question {
  readonly name: string
  readonly at: number
  answer(answer: Found | Error): Promise<void>
}

function setup(settings: Partial<NameSettings> = {}) {
  const clock = fakeClock(1_000_000)
  const questions: Question[] = []
  let changes = 0
  const names = createNames({
    settings: { ...SETTINGS, ...settings },
    clock,
    random: () => 0,
    onChange: () => changes++,
    lookup: (name) =>
      new Promise((resolve, reject) => {
        questions.push({
          name,
          at: clock.now() - 1_000_000,
          async answer(answer) {
            if (answer instanceof Error) reject(answer)
            else resolve(answer)
            await settle()
          },
        })
      }),
  })
  /** Answers the last question, which the name must have asked. */
  const answer = async (reply: Found | Error): Promise<void> => questions.at(-1)?.answer(reply)
  return { clock, names, questions, answer, changes: () => changes, state: (name = 'a') => names.resolved().get(name) }
}

describe('a name', () => {
  test('is not there until it has been answered; then it has its addresses in order', async () => {
    const { names, answer, state, changes } = setup()
    names.want(new Set(['a']))
    expect(state()).toBeUndefined()
    await answer(found(60, '192.0.2.9', '192.0.2.1'))
    expect(state()).toEqual({ addresses: ['192.0.2.1', '192.0.2.9'], trouble: undefined })
    expect(changes()).toBe(1)
  })

  test.each([
    ['its TTL', 60, 48_000],
    ['the shortest time where the TTL is shorter', 0, 4000],
    ['the longest time where the TTL is longer', 86_400, 240_000],
  ])('is asked for again before %s is over', async (_, ttl, at) => {
    const { clock, names, questions, answer } = setup()
    names.want(new Set(['a']))
    await answer(found(ttl, '192.0.2.1'))
    await clock.advance(at - 1)
    expect(questions).toHaveLength(1)
    await clock.advance(1)
    expect(questions.map((each) => each.at)).toEqual([0, at])
  })

  test('with the same addresses in another order has not changed', async () => {
    const { clock, names, answer, changes } = setup()
    names.want(new Set(['a']))
    await answer(found(60, '192.0.2.1', '192.0.2.2'))
    const before = names.resolved()
    await clock.advance(48_000)
    await answer(found(60, '192.0.2.2', '192.0.2.1'))
    expect(names.resolved()).toBe(before)
    expect(changes()).toBe(1)
  })

  test('that changes leaves the others as they were', async () => {
    const { clock, names, questions, state } = setup()
    names.want(new Set(['a', 'b']))
    await questions[0]?.answer(found(60, '192.0.2.1'))
    await questions[1]?.answer(found(600, '192.0.2.2'))
    const other = state('b')
    await clock.advance(48_000)
    await questions[2]?.answer(found(60, '192.0.2.3'))
    expect(state('a')?.addresses).toEqual(['192.0.2.3'])
    expect(state('b')).toBe(other)
  })

  test('that DNS denies has no addresses at once, whatever it had', async () => {
    const { clock, names, answer, state } = setup()
    names.want(new Set(['a']))
    await answer(found(60, '192.0.2.1'))
    await clock.advance(48_000)
    await answer(found(0))
    expect(state()).toEqual({ addresses: [], trouble: { kind: 'absent' } })
    await clock.advance(500)
    await answer(found(60, '192.0.2.2'))
    expect(state()).toEqual({ addresses: ['192.0.2.2'], trouble: undefined })
  })
})

describe('while DNS does not answer', () => {
  test('addresses are good until they expire, then kept for a time with a warning, then gone', async () => {
    const { clock, names, questions, state } = setup()
    names.want(new Set(['a']))
    await questions[0]?.answer(found(60, '192.0.2.1'))
    const seen: string[] = []
    for (let second = 1; second <= 130; second++) {
      await clock.advance(1000)
      await questions.at(-1)?.answer(silence)
      const { addresses = [], trouble } = state() ?? {}
      const text = `${addresses.join()} ${trouble?.kind ?? 'good'}`
      if (seen.at(-1) !== text) seen.push(text)
    }
    expect(seen).toEqual(['192.0.2.1 good', '192.0.2.1 unanswered', ' unanswered'])
  })

  test('the pauses grow to half a minute, and are short again after an answer', async () => {
    const { clock, names, questions, answer } = setup()
    const pauses = async (count: number): Promise<number[]> => {
      const begin = questions.length
      while (questions.length < begin + count) {
        await answer(silence)
        await clock.advance(500)
      }
      return questions.slice(begin).map((each, i) => each.at - (questions[begin + i - 1]?.at ?? 0))
    }
    names.want(new Set(['a']))
    expect(await pauses(7)).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000])
    await answer(found(0, '192.0.2.1'))
    await clock.advance(4000)
    expect(await pauses(3)).toEqual([500, 1000, 2000])
  })

  test('a question that is never answered is given up', async () => {
    const { clock, names, state } = setup()
    names.want(new Set(['a']))
    await clock.advance(15_000)
    await settle()
    expect(state()).toEqual({ addresses: [], trouble: { kind: 'unanswered', detail: 'TIMEOUT' } })
  })
})

describe('names', () => {
  test('that are no longer wanted are forgotten and asked for no more', async () => {
    const { clock, names, questions, answer, state } = setup()
    names.want(new Set(['a']))
    await answer(found(60, '192.0.2.1'))
    names.want(new Set())
    expect(state()).toBeUndefined()
    await clock.advance(1e9)
    expect(questions).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  test('an answer to a question that nobody has any more changes nothing', async () => {
    const { names, answer, changes } = setup()
    names.want(new Set(['a']))
    names.want(new Set())
    await answer(found(60, '192.0.2.1'))
    expect([changes(), names.resolved().size]).toEqual([0, 0])
  })

  test('beyond the limit are refused, and get a place when one is free', async () => {
    const { names, questions, state } = setup()
    names.want(new Set(['a', 'b', 'c', 'd']))
    expect(questions.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect(state('d')).toEqual({ addresses: [], trouble: { kind: 'too-many', most: 3 } })
    names.want(new Set(['b', 'c', 'd']))
    expect(questions.at(-1)?.name).toBe('d')
    expect(state('d')).toBeUndefined()
  })

  test('are asked for sixteen at a time', async () => {
    const { names, questions } = setup({ most: 100 })
    names.want(new Set(Array.from({ length: 40 }, (_, i) => `n${i}`)))
    expect(questions).toHaveLength(16)
    await questions[3]?.answer(found(60, '192.0.2.1'))
    await questions[9]?.answer(silence)
    expect(questions).toHaveLength(18)
    for (let i = 0; i < 40; i++) await questions[i]?.answer(found(600, '192.0.2.1'))
    expect(questions).toHaveLength(40)
    expect(names.resolved().size).toBe(40)
  })

  test('that are in use are asked for before those that never had an answer', async () => {
    const { clock, names, questions } = setup({ most: 100 })
    names.want(new Set(['good']))
    await questions[0]?.answer(found(5, '192.0.2.1'))
    names.want(new Set(['good', ...Array.from({ length: 40 }, (_, i) => `dead${i}`)]))
    await clock.advance(4000)
    expect(questions.at(-1)?.name).toBe('dead15')
    await questions[1]?.answer(silence)
    expect(questions.at(-1)?.name).toBe('good')
  })

  test('settle when each has been answered or given up', async () => {
    const { names, questions } = setup()
    names.want(new Set(['a', 'b']))
    let isSettled = false
    void names.settled().then(() => (isSettled = true))
    await questions[0]?.answer(found(60, '192.0.2.1'))
    expect(isSettled).toBe(false)
    await questions[1]?.answer(silence)
    expect(isSettled).toBe(true)
    await names.settled()
  })

  test('when closed leave no timer behind', async () => {
    const { clock, names, questions } = setup()
    names.want(new Set(['a', 'b']))
    await questions[0]?.answer(found(60, '192.0.2.1'))
    names.close()
    await questions[1]?.answer(found(60, '192.0.2.1'))
    expect(clock.pending).toBe(0)
  })
})
