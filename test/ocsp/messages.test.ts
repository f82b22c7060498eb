// What openssl's responder says, and what somebody who is none would like us to believe.
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { judge, questionOf, type Question } from '../../src/ocsp/messages.ts'
import { Authority } from '../tls/authority.ts'
import { respond, writeIndex } from './responder.ts'

const HOUR = 3_600_000

let authority: Authority
let other: Authority
let root: string

beforeAll(async () => {
  ;[authority, other] = await Promise.all([Authority.create(), Authority.create()])
  for (const name of ['good', 'bad', 'unknown']) await authority.issue(name, `/CN=${name}`, { rsa: name === 'good' })
  await authority.issue('delegate', '/CN=delegate', { signsOcsp: true })
  await authority.issue('pretender', '/CN=pretender')
  await authority.issue('late', '/CN=late', { signsOcsp: true, days: -1 })
  await writeIndex(authority, { good: 'good', bad: 'revoked' })
  root = (await authority.read('root')).certificate
  // The same serial numbers under another root of the same name.
  await other.issue('good', '/CN=good')
  await writeIndex(other, { good: 'good' })
})
afterAll(() => Promise.all([authority.remove(), other.remove()]))

async function questionFor(name: string): Promise<Question> {
  const question = questionOf((await authority.read(name)).certificate + root)
  if (question === undefined) throw new Error('no question')
  return question
}

async function verdict(name: string, options: Parameters<typeof respond>[2] = {}, now = Date.now()): Promise<string> {
  const question = await questionFor(name)
  const found = judge(await respond(authority, question.request, options), question, now)
  return found.kind === 'wrong' ? found.reason : found.kind
}

test('good, revoked and unknown are told apart; the time of the next one is the end', async () => {
  expect(await verdict('good')).toBe('good')
  expect(await verdict('bad')).toBe('revoked')
  expect(await verdict('unknown')).toBe('the responder does not know the certificate')
  const question = await questionFor('good')
  const found = judge(await respond(authority, question.request, { minutes: 90 }), question, Date.now())
  expect(found.kind === 'good' && Math.abs(found.until - Date.now() - 1.5 * HOUR) < 60_000).toBe(true)
})

test('somebody in the place of the issuer needs its certificate, for that purpose, and a valid one', async () => {
  const refused = 'it is not signed by the issuer of the certificate or somebody in its place'
  expect(await verdict('good', { signer: 'delegate' })).toBe('good')
  expect(await verdict('good', { signer: 'pretender' })).toBe(refused)
  expect(await verdict('good', { signer: 'late' })).toBe(refused)
  const question = await questionFor('good')
  expect(judge(await respond(other, question.request), question, Date.now())).toMatchObject({ kind: 'wrong' })
  const foreign = questionOf((await other.read('good')).certificate + (await other.read('root')).certificate)
  if (foreign === undefined) throw new Error('no question')
  expect(judge(await respond(other, foreign.request), foreign, Date.now())).toMatchObject({ kind: 'good' })
  expect(judge(await respond(other, foreign.request), question, Date.now())).toEqual({ kind: 'wrong', reason: refused })
})

test('one that has ended, is of the future, or is about another certificate is refused', async () => {
  expect(await verdict('good', {}, Date.now() + 2 * HOUR)).toBe('it has expired')
  expect(await verdict('good', {}, Date.now() - HOUR)).toBe('it is of the future')
  const [good, bad] = [await questionFor('good'), await questionFor('bad')]
  expect(judge(await respond(authority, good.request), bad, Date.now())).toEqual({ kind: 'wrong', reason: 'it is not about the certificate' })
})

test('without its issuer in the chain, or with another one, nothing is asked', async () => {
  const { certificate } = await authority.read('good')
  expect(questionOf(certificate)).toBeUndefined()
  expect(questionOf(certificate + (await other.read('root')).certificate)).toBeUndefined()
})

test('bytes that were changed on the way never make a verdict that was not signed', async () => {
  const question = await questionFor('bad')
  const response = await respond(authority, question.request, { signer: 'delegate' })
  const now = Date.now()
  expect(judge(response, question, now).kind).toBe('revoked')
  fc.assert(
    fc.property(fc.nat(response.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(response.length), (at, flip, length) => {
      const changed = Buffer.from(response)
      changed[at] = (changed[at] ?? 0) ^ flip
      expect(judge(changed, question, now).kind).not.toBe('good')
      if (length < response.length) expect(judge(response.subarray(0, length), question, now).kind).toBe('wrong')
    }),
    { seed: 5, numRuns: 400 },
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => judge(Buffer.from(bytes), question, now).kind === 'wrong'), { seed: 5, numRuns: 200 })
})
