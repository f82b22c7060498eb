// Versions, ciphers and ALPN, for all hosts and for one: openssl as a client says what it got.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:tls'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDefaultCertificate } from '../../src/http/tls/default-certificate.ts'
import type { HandshakeTerms } from '../../src/model/policy.ts'
import { DEFAULT_TLS, readTlsVersions, TLS_VERSIONS } from '../../src/model/tls.ts'
import { configOf, tlsFixture, type Fixture } from './listener.ts'

const TERMS: Readonly<Record<string, Omit<HandshakeTerms, 'id'>>> = {
  new: { versions: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } },
  old: { versions: { minVersion: 'TLSv1', maxVersion: 'TLSv1.2' }, ciphers: 'ECDHE+AESGCM:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0' },
  strong: { ciphers: 'ECDHE-RSA-AES256-GCM-SHA384' },
  plain: { http1Only: true },
}

let fixture: Fixture
let port: number

beforeAll(async () => {
  const hosts = new Map(Object.entries(TERMS).map(([name, terms]) => [`${name}.example`, { name: `${name}.example`, routes: [], handshake: { id: `terms of ${name}`, ...terms } }]))
  fixture = tlsFixture(await createDefaultCertificate(), { ...configOf([], {}), hosts })
  port = await fixture.listen(['h2', 'http/1.1'])
})
afterAll(() => fixture.close())

interface Said {
  readonly version: string
  readonly cipher: string
  readonly alpn: string
}

/** `version` is empty when there was no handshake. */
async function say(host: string, ...args: readonly string[]): Promise<Said> {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', `${host}.example`, '-alpn', 'h2,http/1.1', ...args])
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
    if (/Verify return code: .*\n/.test(text)) child.stdin.end()
  })
  child.stdin.on('error', () => undefined)
  await once(child, 'close')
  const [, version = '', cipher = ''] = /New, (?:SSLv3|TLSv[\d.]+), Cipher is (\S+)/.test(text) ? (/Protocol *: (TLSv[\d.]+)/.exec(text) ?? /New, (TLSv[\d.]+), /.exec(text) ?? []) : []
  return { version, cipher: cipher === '' ? (/Cipher is (\S+)/.exec(text)?.[1] ?? '') : cipher, alpn: /ALPN protocol: (\S+)/.exec(text)?.[1] ?? '' }
}

test('a host takes the versions that it names, others the default ones', async () => {
  expect(await say('new', '-tls1_2')).toMatchObject({ version: '' })
  expect(await say('new')).toMatchObject({ version: 'TLSv1.3' })
  expect(await say('any', '-tls1_2')).toMatchObject({ version: 'TLSv1.2' })
  expect(await say('any', '-tls1_3')).toMatchObject({ version: 'TLSv1.3' })
  expect(await say('any', '-tls1_1', '-cipher', 'DEFAULT:@SECLEVEL=0')).toMatchObject({ version: '' })
  expect(await say('old', '-tls1_1', '-cipher', 'DEFAULT:@SECLEVEL=0')).toMatchObject({ version: 'TLSv1.1' })
  expect(await say('old')).toMatchObject({ version: 'TLSv1.2' })
  expect(await say('strong', '-tls1_2')).toMatchObject({ version: 'TLSv1.2', cipher: 'ECDHE-RSA-AES256-GCM-SHA384' })
})

test('a host without HTTP/2 does not offer it', async () => {
  expect(await say('plain')).toMatchObject({ alpn: 'http/1.1' })
  expect(await say('any')).toMatchObject({ alpn: 'h2' })
  expect(await say('new')).toMatchObject({ alpn: 'h2' })
})

test('a session resumes on its own terms, and on no others', async () => {
  const session = async (host: string, known?: Buffer): Promise<{ readonly ticket: Buffer; readonly reused: boolean }> => {
    const socket = connect({ port, host: '127.0.0.1', servername: `${host}.example`, rejectUnauthorized: false, maxVersion: 'TLSv1.2', ...(known && { session: known }) })
    const ticket = once(socket, 'session')
    await once(socket, 'secureConnect')
    const reused = socket.isSessionReused()
    socket.write('x')
    const [made] = reused ? [known ?? Buffer.alloc(0)] : ((await ticket) as [Buffer])
    socket.destroy()
    return { ticket: made, reused }
  }
  const { ticket } = await session('strong')
  expect((await session('strong', ticket)).reused).toBe(true)
  expect((await session('any', ticket)).reused).toBe(false)
  expect((await session('old', ticket)).reused).toBe(false)
})

test('what holds for all hosts can change while they are served', async () => {
  fixture.contexts.configure({ ...DEFAULT_TLS, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-CHACHA20-POLY1305' })
  expect(await say('any')).toMatchObject({ version: 'TLSv1.2', cipher: 'ECDHE-RSA-CHACHA20-POLY1305' })
  expect(await say('new')).toMatchObject({ version: 'TLSv1.3' })
  fixture.contexts.configure(DEFAULT_TLS)
  expect(await say('any')).toMatchObject({ version: 'TLSv1.3' })
})

test('a list of versions never becomes more than was asked for', () => {
  expect(readTlsVersions('TLSv1.2 TLSv1.3')).toEqual({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' })
  expect(readTlsVersions('tlsv1.3,TLSv1.2')).toEqual({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' })
  expect(readTlsVersions('TLSv1.1 TLSv1.3')).toMatchObject({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', wrong: 'leaves out TLSv1.2 between others' })
  expect(readTlsVersions('SSLv3 TLSv1.2')).toMatchObject({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })
  expect(readTlsVersions('all')).toMatchObject({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' })
  const word = fc.oneof(fc.constantFrom(...TLS_VERSIONS, 'SSLv3', 'TLSv13', ''), fc.string())
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (words) => {
      const { minVersion, maxVersion, wrong } = readTlsVersions(words.join(' '))
      const range = TLS_VERSIONS.slice(TLS_VERSIONS.indexOf(minVersion), TLS_VERSIONS.indexOf(maxVersion) + 1)
      const named = words.join(' ').toLowerCase().split(/[\s,]+/)
      expect(range.length).toBeGreaterThan(0)
      if (wrong === undefined) expect(new Set(named.filter((each) => each !== '')).size).toBe(range.length)
      else expect(range.every((version) => named.includes(version.toLowerCase())) || (range.length === 1 && maxVersion === 'TLSv1.3')).toBe(true)
    }),
    { seed: 11, numRuns: 500 },
  )
})
