import { once } from 'node:events'
import { connect, createServer, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { createDefaultCertificate, type KeyPair } from '../../src/http/tls/default-certificate.ts'
import { OVERLAP_MS, ROTATION_MS, ticketKeysAt, untilRotation } from '../../src/http/tls/ticket-keys.ts'
import type { Certificate, RoutingConfig } from '../../src/model/routing.ts'
import { certificateFor, rsaCertificateFor } from './certificates.ts'
import { configOf, ticketSecret, tlsFixture, type Fixture } from './listener.ts'

let defaultCertificate: KeyPair
let first: Certificate
let second: Certificate
let wildcard: Certificate
const closers: (() => void)[] = []

beforeAll(async () => {
  ;[defaultCertificate, first, second, wildcard] = await Promise.all([
    createDefaultCertificate(),
    certificateFor('dev/a', 'a.example.com'),
    certificateFor('dev/a', 'a.example.com'),
    certificateFor('dev/wild', '*.example.com'),
  ])
})

afterEach(() => {
  for (const close of closers.splice(0)) close()
})

function fixture(config: RoutingConfig, limit?: number): Fixture {
  const made = tlsFixture(defaultCertificate, config, limit)
  closers.push(made.close)
  return made
}

async function dial(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  closers.push(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

async function shown(port: number, servername?: string): Promise<string> {
  const socket = await dial(port, servername === undefined ? {} : { servername })
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? ''
  const all: Record<string, string> = { [first.fingerprint]: 'first', [second.fingerprint]: 'second', [wildcard.fingerprint]: 'wildcard' }
  return all[fingerprint] ?? 'default'
}

test('exact name, wildcard of one label, else the default certificate; any case', async () => {
  const port = await fixture(configOf([first, wildcard], { 'a.example.com': ['dev/a'], '*.example.com': ['dev/wild'] })).listen()
  const names = ['a.example.com', 'A.EXAMPLE.com', 'b.example.com', 'x.b.example.com', 'other.org', undefined]
  expect(await Promise.all(names.map((name) => shown(port, name)))).toEqual(['first', 'first', 'wildcard', 'default', 'default', 'default'])
})

test('a rotated certificate is in the next handshake; open connections go on', async () => {
  const { listen, use } = fixture(configOf([first], { 'a.example.com': ['dev/a'] }))
  const port = await listen()
  const before = await dial(port, { servername: 'a.example.com' })
  expect(await shown(port, 'a.example.com')).toBe('first')
  use(configOf([second], { 'a.example.com': ['dev/a'] }))
  expect(await shown(port, 'a.example.com')).toBe('second')
  before.write('still here')
  expect(String((await once(before, 'data'))[0])).toBe('still here')
})

test('a key that does not load leaves the last good certificate in place, is tried once and logged without the key', async () => {
  const broken = { ...second, privateKey: first.privateKey }
  const { listen, use, lines } = fixture(configOf([first], { 'a.example.com': ['dev/a'] }))
  const port = await listen()
  expect(await shown(port, 'a.example.com')).toBe('first')
  use(configOf([broken], { 'a.example.com': ['dev/a'] }))
  expect([await shown(port, 'a.example.com'), await shown(port, 'a.example.com')]).toEqual(['first', 'first'])
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('"certificate":"dev/a"')
  expect(lines[0]).not.toContain('PRIVATE KEY')
  use(configOf([second], { 'a.example.com': ['dev/a'] }))
  expect(await shown(port, 'a.example.com')).toBe('second')
})

test.each(['', 'no PEM at all', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'])(
  'with no last good one the default serves: %j',
  async (privateKey) => {
    const { listen } = fixture(configOf([{ ...first, privateKey }], { 'a.example.com': ['dev/a'] }))
    expect(await shown(await listen(), 'a.example.com')).toBe('default')
  },
)

test('of several certificates of a name the first that loads serves', async () => {
  const broken = { ...first, id: 'dev/broken', privateKey: 'x' }
  const { listen } = fixture(configOf([broken, second], { 'a.example.com': ['dev/broken', 'dev/gone', 'dev/a'] }))
  expect(await shown(await listen(), 'a.example.com')).toBe('second')
})

test('a configured default certificate serves clients without a name and unknown names, rotates, and goes again', async () => {
  const { listen, use } = fixture(configOf([], {}))
  const port = await listen()
  expect([await shown(port), await shown(port, 'other.org')]).toEqual(['default', 'default'])
  use(configOf([first], {}, 'dev/a'))
  expect([await shown(port), await shown(port, 'other.org')]).toEqual(['first', 'first'])
  use(configOf([second], {}, 'dev/a'))
  expect([await shown(port), await shown(port, 'other.org')]).toEqual(['second', 'second'])
  use(configOf([{ ...second, privateKey: 'broken' }], {}, 'dev/a'))
  expect([await shown(port), await shown(port, 'other.org')]).toEqual(['second', 'second'])
  use(configOf([], {}))
  expect([await shown(port), await shown(port, 'other.org')]).toEqual(['default', 'default'])
})

test('the least recently used server goes first, and comes back when asked for', async () => {
  const all = configOf([first, wildcard], { 'a.example.com': ['dev/a'], '*.example.com': ['dev/wild'] })
  const { contexts, listen } = fixture(all, 1)
  const servers = contexts.servers((options) => createServer(options))
  const held = servers.serverFor('a.example.com')
  expect(servers.serverFor('a.example.com')).toBe(held)
  servers.serverFor('b.example.com')
  expect(servers.serverFor('a.example.com')).not.toBe(held)
  servers.close()
  const port = await listen()
  expect([await shown(port, 'a.example.com'), await shown(port, 'b.example.com'), await shown(port, 'a.example.com')]).toEqual(['first', 'wildcard', 'first'])
})

test('a client that prefers the key type of the default certificate still gets the one of the host', async () => {
  const port = await fixture(configOf([first], { 'a.example.com': ['dev/a'] })).listen()
  const socket = await dial(port, { servername: 'a.example.com', sigalgs: 'rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256' })
  expect(socket.getPeerX509Certificate()?.fingerprint256).toBe(first.fingerprint)
})

async function session(port: number, version: 'TLSv1.2' | 'TLSv1.3'): Promise<Buffer> {
  const socket = await dial(port, { servername: 'a.example.com', minVersion: version, maxVersion: version })
  const saved = version === 'TLSv1.2' ? socket.getSession() : (await once(socket, 'session'))[0]
  expect(socket.isSessionReused()).toBe(false)
  return saved
}

test.each(['TLSv1.2', 'TLSv1.3'] as const)('a %s session made with one thread resumes with another', async (version) => {
  const config = configOf([first], { 'a.example.com': ['dev/a'] })
  const [one, other] = await Promise.all([fixture(config).listen(), fixture(config).listen()])
  const resumed = await dial(other, { servername: 'a.example.com', session: await session(one, version), minVersion: version, maxVersion: version })
  expect(resumed.isSessionReused()).toBe(true)
})

test.each([
  ['TLSv1.1', 'DEFAULT@SECLEVEL=0', /protocol|version|alert/i],
  ['TLSv1.2', 'AES128-SHA', /handshake failure|no shared|cipher/i],
  ['TLSv1.2', 'ECDHE-ECDSA-AES128-SHA', /handshake failure|no shared|cipher/i],
] as const)('%s with %s is refused', async (version, ciphers, message) => {
  const port = await fixture(configOf([first], { 'a.example.com': ['dev/a'] })).listen()
  await expect(dial(port, { servername: 'a.example.com', minVersion: version, maxVersion: version, ciphers })).rejects.toThrow(message)
})

test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s tickets outlive one change of keys, are renewed then, and die with the next', async (version) => {
  const config = configOf([first], { 'a.example.com': ['dev/a'] })
  const { listen, contexts, use } = fixture(config)
  const port = await listen()
  const resumes = async (saved: Buffer): Promise<boolean> => {
    const socket = await dial(port, { servername: 'a.example.com', session: saved, minVersion: version, maxVersion: version })
    return socket.isSessionReused()
  }
  const old = await session(port, version)
  contexts.setTicketKeys(ticketKeysAt(ticketSecret, ROTATION_MS))
  expect(await resumes(old)).toBe(true)
  const fresh = await session(port, version)
  // Between two changes one key is enough.
  contexts.setTicketKeys(ticketKeysAt(ticketSecret, ROTATION_MS + OVERLAP_MS))
  expect([await resumes(old), await resumes(fresh)]).toEqual([false, true])
  contexts.setTicketKeys(ticketKeysAt(ticketSecret, 2 * ROTATION_MS))
  expect([await resumes(old), await resumes(fresh)]).toEqual([false, true])
  // The certificate for clients without a name changes: the keys stay.
  use(configOf([first, wildcard], { 'a.example.com': ['dev/a'] }, 'dev/wild'))
  expect(await resumes(fresh)).toBe(true)
  contexts.setTicketKeys(ticketKeysAt(Buffer.alloc(32), 2 * ROTATION_MS))
  expect(await resumes(fresh)).toBe(false)
})

test('keys come from the secret and the hour alone, change at the same moment everywhere, and overlap by one each way', () => {
  const at = (now: number) => ticketKeysAt(ticketSecret, now)
  expect(at(ROTATION_MS - 1).current).toEqual(at(0).current)
  expect(at(ROTATION_MS).current).not.toEqual(at(0).current)
  expect(at(ROTATION_MS).accepted).toEqual([at(0).current])
  expect(at(ROTATION_MS - 1).accepted).toEqual([at(ROTATION_MS).current])
  expect([at(OVERLAP_MS).accepted, at(ROTATION_MS - OVERLAP_MS - 1).accepted]).toEqual([[], []])
  expect(at(0).current).toHaveLength(48)
  // At each of the three moments at which the answer changes.
  expect([untilRotation(0), untilRotation(OVERLAP_MS), untilRotation(ROTATION_MS - 1)]).toEqual([OVERLAP_MS, ROTATION_MS - 2 * OVERLAP_MS, 1])
})

test('of an RSA and an ECDSA certificate of one name the client gets the one that it can check', async () => {
  const rsa = await rsaCertificateFor('dev/rsa', 'a.example.com')
  const { listen, use } = fixture(configOf([first, rsa], { 'a.example.com': ['dev/a', 'dev/rsa'] }))
  const port = await listen()
  const keyType = async (options: ConnectionOptions): Promise<string | undefined> => {
    const socket = await dial(port, { servername: 'a.example.com', ...options })
    return socket.getPeerX509Certificate()?.publicKey.asymmetricKeyType
  }
  const [tls12, tls13] = [{ maxVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }] as const
  const all = async (): Promise<readonly (string | undefined)[]> => [
    await keyType({ ...tls12, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }),
    await keyType({ ...tls12, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }),
    await keyType({ ...tls13, sigalgs: 'rsa_pss_rsae_sha256' }),
    await keyType({ ...tls13, sigalgs: 'ecdsa_secp256r1_sha256' }),
  ]
  expect(await all()).toEqual(['rsa', 'ec', 'rsa', 'ec'])
  use(configOf([second, rsa], { 'a.example.com': ['dev/a', 'dev/rsa'] }))
  expect(await shown(port, 'a.example.com')).toBe('second')
  // A broken one leaves its last good self beside the other.
  use(configOf([second, { ...rsa, privateKey: 'x' }], { 'a.example.com': ['dev/a', 'dev/rsa'] }))
  expect(await all()).toEqual(['rsa', 'ec', 'rsa', 'ec'])
  // Of two of the same type the first serves.
  use(configOf([second, { ...first, id: 'dev/other' }, rsa], { 'a.example.com': ['dev/a', 'dev/other', 'dev/rsa'] }))
  expect(await shown(port, 'a.example.com')).toBe('second')
  expect((await all())[0]).toBe('rsa')
})
