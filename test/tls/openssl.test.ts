// What openssl, as a client, says of a listener with our defaults.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDefaultCertificate } from '../../src/http/tls/default-certificate.ts'
import type { Certificate } from '../../src/model/routing.ts'
import { certificateFor } from './certificates.ts'
import { configOf, tlsFixture } from './listener.ts'

let folder: string
let certificate: Certificate
let ports: readonly number[]
let close: () => void

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'narthex-test-'))
  certificate = await certificateFor('dev/a', 'a.example.com')
  const fixture = tlsFixture(await createDefaultCertificate(), configOf([certificate], { 'a.example.com': ['dev/a'] }))
  ;({ close } = fixture)
  ports = [await fixture.listen(), await fixture.listen()]
  await writeFile(join(folder, 'ca.pem'), certificate.certificate)
})

afterAll(async () => {
  close()
  await rm(folder, { recursive: true })
})

/** Runs s_client, sends `line` once connected, and ends when it came back or the connection is over; answers all that was said. */
async function client(port: number | undefined, args: readonly string[], line = 'ping'): Promise<string> {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'a.example.com', ...args])
  let said = ''
  let sent = false
  await new Promise((resolve) => {
    const listen = (text: string) => {
      said += text
      if (!sent && /Verify return code: .*\n/.test(said)) {
        sent = true
        child.stdin.write(`${line}\n`)
      }
      // By the time of the echo the tickets of TLS 1.3 have come too.
      if (sent && said.endsWith(`${line}\n`)) child.stdin.end()
    }
    child.stdout.setEncoding('utf8').on('data', listen)
    child.stderr.setEncoding('utf8').on('data', listen)
    child.stdin.on('error', () => undefined)
    child.once('close', resolve)
  })
  return said
}

test('the certificate of the name is shown and verifies', async () => {
  const said = await client(ports[0], ['-CAfile', join(folder, 'ca.pem'), '-verify_return_error', '-verify_hostname', 'a.example.com'])
  expect(said).toContain('Verify return code: 0 (ok)')
  expect(said).toMatch(/New, TLSv1\.3, Cipher is TLS_AES_(128|256)_GCM_SHA(256|384)/)
})

test.each(['-tls1_2', '-tls1_3'])('a session made on one listener resumes on another: %s', async (version) => {
  const session = join(folder, `session${version}`)
  const first = await client(ports[0], [version, '-sess_out', session])
  expect(first).toContain('New, TLSv1')
  expect(first).toContain('ticket lifetime hint: 300 (seconds)')
  expect(await client(ports[1], [version, '-sess_in', session])).toContain('Reused, TLSv1')
})

test.each([
  ['TLS 1.1', ['-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0']],
  ['CBC', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384']],
  ['key exchange without forward secrecy', ['-tls1_2', '-cipher', 'AES128-GCM-SHA256:AES256-GCM-SHA384']],
])('%s is refused', async (_name, args) => {
  expect(await client(ports[0], args)).toMatch(/Cipher is \(NONE\)/)
})

test('a client that asks to renegotiate is refused, and others are served on', async () => {
  expect(await client(ports[0], ['-tls1_2'], 'R')).toMatch(/RENEGOTIATING[^]*no renegotiation/)
  expect(await client(ports[0], ['-tls1_3'])).toContain('New, TLSv1.3')
})
