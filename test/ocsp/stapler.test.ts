// Responses over days: renewed before they end, kept through failures until they do, dropped when the certificate is revoked.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import type { Certificate } from '../../src/model/routing.ts'
import { createStapler, type Stapler } from '../../src/ocsp/stapler.ts'
import { fakeClock, type FakeClock } from '../support/fake-clock.ts'
import { Authority } from '../tls/authority.ts'
import { respond, writeIndex } from './responder.ts'

const HOUR = 3_600_000

let authority: Authority
let certificates: ReadonlyMap<string, Certificate>
/** By name and minutes, since openssl is slow. */
const responses = new Map<string, Promise<Buffer>>()

beforeAll(async () => {
  authority = await Authority.create()
  const root = (await authority.read('root')).certificate
  const made: Certificate[] = []
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const { certificate, key } = await authority.issue(name, `/CN=${name}`)
    made.push({ id: `dev/${name}`, certificate: certificate + root, privateKey: key, names: [name], notAfter: 0, fingerprint: name, responder: `http://${name}/` })
  }
  certificates = new Map(made.map((each) => [each.id, each]))
  await writeIndex(authority, { a: 'good', b: 'good', c: 'good', d: 'good', e: 'good', f: 'good' })
})
afterAll(() => authority.remove())

interface Scripted {
  readonly stapler: Stapler
  readonly clock: FakeClock
  /** URLs, in their order. */
  readonly asked: string[]
  changes: number
  mode: 'answer' | 'fail' | 'hang'
  /** Most requests at once. */
  most: number
}

function scripted(): Scripted {
  const clock = fakeClock(Date.now())
  let open = 0
  const made: Scripted = {
    clock,
    asked: [],
    changes: 0,
    mode: 'answer',
    most: 0,
    stapler: createStapler({
      clock,
      random: () => 0.5,
      log: silentLog,
      onChange: () => made.changes++,
      async fetch(url, request) {
        made.asked.push(url)
        made.most = Math.max(made.most, ++open)
        try {
          if (made.mode === 'fail') throw new Error('the responder can not be reached')
          if (made.mode === 'hang') await new Promise(() => undefined)
          const known = responses.get(url) ?? respond(authority, request, { minutes: 600 })
          responses.set(url, known)
          return await known
        } finally {
          open--
        }
      },
    }),
  }
  return made
}

const only = (name: string): ReadonlyMap<string, Certificate> => new Map([...certificates].filter(([, { fingerprint }]) => fingerprint === name))

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('each certificate with a responder is asked for, few at once, and forgotten with its Secret', async () => {
  const on = scripted()
  on.stapler.want(certificates)
  await until(() => on.stapler.staples().size === 6)
  expect(on.asked.length).toBe(6)
  // One at once, and the others together a little later.
  expect(on.changes).toBe(1)
  await on.clock.advance(1000)
  expect(on.changes).toBe(2)
  expect(on.most).toBeLessThanOrEqual(4)
  expect([...on.stapler.staples().keys()].sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  expect(on.stapler.staples()).toBe(on.stapler.staples())
  on.stapler.want(only('a'))
  expect([...on.stapler.staples().keys()]).toEqual(['a'])
  on.stapler.close()
  expect(on.clock.pending).toBe(0)
})

test('it is renewed when half of its time is over; while that fails the last one stays until it ends', async () => {
  const on = scripted()
  on.stapler.want(only('a'))
  await until(() => on.changes === 1)
  const { staple } = on.stapler.staples().get('a') ?? {}
  expect(staple?.response.length).toBeGreaterThan(100)
  await on.clock.advance(4 * HOUR)
  expect(on.asked.length).toBe(1)
  on.mode = 'fail'
  await on.clock.advance(HOUR)
  await until(() => on.stapler.staples().get('a')?.trouble !== undefined)
  expect(on.asked.length).toBeGreaterThanOrEqual(2)
  expect(on.stapler.staples().get('a')).toMatchObject({ staple, trouble: { kind: 'failed', reason: 'the responder can not be reached (http://a/)' } })
  await on.clock.advance(5 * HOUR + 60_000)
  await until(() => on.stapler.staples().get('a')?.staple === undefined)
  expect(on.stapler.staples().get('a')?.staple).toBeUndefined()
  // Pauses have grown: not hundreds of tries.
  expect(on.asked.length).toBeLessThan(25)
  on.stapler.close()
})

test('a revoked certificate loses its response at the next look, and a responder that hangs holds up no other', async () => {
  const on = scripted()
  on.stapler.want(only('b'))
  await until(() => on.changes === 1)
  await writeIndex(authority, { a: 'good', b: 'revoked', c: 'good' })
  responses.delete('http://b/')
  await on.clock.advance(5 * HOUR)
  await until(() => on.stapler.staples().get('b')?.staple === undefined)
  expect(on.stapler.staples().get('b')).toMatchObject({ staple: undefined, trouble: { kind: 'revoked' } })
  on.mode = 'hang'
  on.stapler.want(new Map([...certificates].filter(([, { fingerprint }]) => fingerprint !== 'b')))
  expect(on.asked.length).toBeLessThanOrEqual(2 + 4)
  on.stapler.close()
})

test('who insists on responses is waited for, others are not', async () => {
  const on = scripted()
  on.mode = 'hang'
  on.stapler.want(only('a'))
  await on.stapler.settled()
  const [[id = '', certificate] = []] = [...only('c')]
  if (certificate === undefined) throw new Error('no certificate')
  on.mode = 'answer'
  on.stapler.want(new Map([[id, { ...certificate, mustStaple: true as const }]]))
  await on.stapler.settled()
  expect(on.stapler.staples().get('c')?.staple).toBeDefined()
  on.stapler.close()
})
