// A Secret that changes again and again while clients shake hands: nobody is refused, and each gets a whole pair.
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDefaultCertificate } from '../../src/http/tls/default-certificate.ts'
import type { Certificate } from '../../src/model/routing.ts'
import { certificateFor, rsaCertificateFor } from './certificates.ts'
import { configOf, tlsFixture, type Fixture } from './listener.ts'

const SWAPS = 1000
const NAME = 'a.example.com'

let versions: readonly Certificate[]
let fixture: Fixture
let port: number

beforeAll(async () => {
  versions = await Promise.all([certificateFor('dev/a', NAME), rsaCertificateFor('dev/a', NAME), certificateFor('dev/a', NAME), rsaCertificateFor('dev/a', NAME)])
  fixture = tlsFixture(await createDefaultCertificate(), configOf(versions.slice(0, 1), { [NAME]: ['dev/a'] }))
  port = await fixture.listen()
})

afterAll(() => fixture.close())

/** The fingerprint that was shown, after bytes went both ways. */
function handshake(session?: Buffer): Promise<{ readonly fingerprint: string; readonly session: Buffer | undefined }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: NAME, rejectUnauthorized: false, ...(session && { session }) }, () => socket.write('x'))
    let saved: Buffer | undefined
    socket.on('session', (ticket: Buffer) => (saved = ticket))
    socket.on('error', reject)
    socket.on('data', () => {
      resolve({ fingerprint: socket.getPeerX509Certificate()?.fingerprint256 ?? '', session: saved })
      socket.destroy()
    })
  })
}

test(`${SWAPS} swaps during handshakes and resumptions: none fails`, async () => {
  const known = new Set(versions.map(({ fingerprint }) => fingerprint))
  const seen = new Set<string>()
  const count = { swaps: 0, handshakes: 0 }
  const goesOn = (): boolean => count.swaps < SWAPS
  const client = async (): Promise<void> => {
    let session: Buffer | undefined
    while (goesOn()) {
      const result = await handshake(session)
      // Of a resumed session Node knows no certificate.
      if (session === undefined || result.fingerprint !== '') {
        expect(known).toContain(result.fingerprint)
        seen.add(result.fingerprint)
      }
      // Every other one resumes.
      session = session === undefined ? result.session : undefined
      count.handshakes++
    }
  }
  const swapper = async (): Promise<void> => {
    while (goesOn()) {
      const next = versions[++count.swaps % versions.length]
      if (next !== undefined) fixture.use(configOf([next], { [NAME]: ['dev/a'] }))
      const before = count.handshakes
      const isWaiting = (): boolean => count.handshakes === before
      // As often as handshakes let it, so that swaps fall into them.
      while (isWaiting()) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await Promise.all([client(), client(), client(), client(), swapper()])
  expect(count.handshakes).toBeGreaterThanOrEqual(SWAPS)
  expect(seen.size).toBeGreaterThan(1)
  expect(fixture.lines).toEqual([])
}, 60_000)
