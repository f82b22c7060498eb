// Stapled OCSP responses, as `openssl s_client -status` sees them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDefaultCertificate } from '../../src/http/tls/default-certificate.ts'
import type { Certificate } from '../../src/model/routing.ts'
import { questionOf } from '../../src/ocsp/messages.ts'
import { respond, writeIndex } from '../ocsp/responder.ts'
import { Authority } from './authority.ts'
import { configOf, tlsFixture, type Fixture } from './listener.ts'

const NAME = 'a.example.com'
const HOUR = 3_600_000

let authority: Authority
let fixture: Fixture
let port: number
let ec: Certificate
let rsa: Certificate

beforeAll(async () => {
  authority = await Authority.create()
  const root = (await authority.read('root')).certificate
  const issue = async (name: string, isRsa: boolean): Promise<Certificate> => {
    const { certificate, key } = await authority.issue(name, `/CN=${NAME}`, { altName: NAME, rsa: isRsa, mustStaple: true })
    return { id: `dev/${name}`, certificate: certificate + root, privateKey: key, names: [NAME], notAfter: 0, fingerprint: name }
  }
  const bare = [await issue('ec', false), await issue('rsa', true)]
  await writeIndex(authority, { ec: 'good', rsa: 'good' })
  const stapled = await Promise.all(
    bare.map(async (certificate) => {
      const response = await respond(authority, questionOf(certificate.certificate)?.request ?? Buffer.alloc(0))
      return { ...certificate, staple: { response, until: Date.now() + HOUR } }
    }),
  )
  const [first, second] = stapled
  if (first === undefined || second === undefined) throw new Error('no certificates')
  ;[ec, rsa] = [first, second]
  fixture = tlsFixture(await createDefaultCertificate(), configOf([ec], { [NAME]: [ec.id] }))
  port = await fixture.listen()
})
afterAll(async () => {
  fixture.close()
  await authority.remove()
})

interface Seen {
  readonly status: string
  /** Serial number that the response is about, and that of the certificate. */
  readonly about: string
  readonly shown: string
}

async function look(...args: readonly string[]): Promise<Seen> {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', NAME, '-CAfile', join(authority.folder, 'root.pem'), '-verify_return_error', '-status', ...args])
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (/Verify return code: .*\n/.test(said)) child.stdin.end()
  })
  child.stdin.on('error', () => undefined)
  await once(child, 'close')
  expect(said).toContain('Verify return code: 0 (ok)')
  const pem = /Server certificate\n(-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n)/.exec(said)?.[1] ?? ''
  const parse = spawn('openssl', ['x509', '-noout', '-serial'])
  parse.stdin.end(pem)
  const [serial] = (await once(parse.stdout.setEncoding('utf8'), 'data')) as [string]
  return {
    status: /OCSP response: no response sent/.test(said) ? 'none' : (/Cert Status: (\w+)/.exec(said)?.[1] ?? 'absent'),
    about: /Serial Number: (\w+)/.exec(said)?.[1] ?? '',
    shown: serial.trim().replace('serial=', ''),
  }
}

test.each(['-tls1_2', '-tls1_3'])('whoever asks gets the response of the certificate that is shown: %s', async (version) => {
  fixture.use(configOf([ec], { [NAME]: [ec.id] }))
  const seen = await look(version)
  expect(seen.status).toBe('good')
  expect(seen.about).toBe(seen.shown)
})

test.each(['-tls1_2', '-tls1_3'])('of an RSA and an ECDSA certificate each client gets the response of its own: %s', async (version) => {
  fixture.use(configOf([rsa, ec], { [NAME]: [rsa.id, ec.id] }))
  const both = await look(version)
  const old = await look(version, '-sigalgs', 'RSA-PSS+SHA256:RSA+SHA256')
  expect([both.status, old.status]).toEqual(['good', 'good'])
  expect([both.about, old.about]).toEqual([both.shown, old.shown])
  expect(both.shown).not.toBe(old.shown)
})

test('where OpenSSL may choose otherwise nothing is stapled', async () => {
  fixture.use(configOf([rsa, ec], { [NAME]: [rsa.id, ec.id] }))
  // A curve that the certificate is not of: what is left is for OpenSSL to find out.
  expect((await look('-tls1_2', '-curves', 'P-384')).status).toBe('none')
})

test('one that has ended is not shown; a new one is, without a new listener', async () => {
  const { staple } = ec
  if (staple === undefined) throw new Error('no staple')
  const { staple: _none, ...bare } = ec
  for (const [certificate, status] of [[{ ...ec, staple: { ...staple, until: Date.now() - 1 } }, 'none'], [bare, 'none'], [ec, 'good']] as const) {
    fixture.use(configOf([certificate], { [NAME]: [certificate.id] }))
    expect((await look()).status).toBe(status)
  }
})
