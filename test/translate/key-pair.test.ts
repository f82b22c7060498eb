// Reading of certificates that openssl has made, and of hostile text.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tls from 'node:tls'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readKeyPair } from '../../src/translate/key-pair.ts'
import { certificatePem, keyPem } from './key-material.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'narthex-keys-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function openssl(name: string, algorithm: readonly string[], extra: readonly string[] = []): { readonly certificate: string; readonly key: string } {
  const [certificate, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
  execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '30', ...algorithm, '-keyout', key, '-out', certificate, ...extra], { stdio: 'pipe' })
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }
}

describe('key pairs of openssl', () => {
  test.each([
    ['ecdsa', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']],
    ['rsa', ['-newkey', 'rsa:2048']],
    ['ed25519', ['-newkey', 'ed25519']],
  ] as const)('%s is read and makes a secure context', (name, algorithm) => {
    const made = openssl(name, algorithm, ['-subj', '/CN=ignored', '-addext', 'subjectAltName=DNS:App.Example.com,DNS:*.example.com,IP:192.0.2.1,IP:2001:db8::1'])
    const pair = readKeyPair(made.certificate, made.key)
    if ('wrong' in pair) throw new Error(pair.wrong)
    expect(pair.names).toEqual(['app.example.com', '*.example.com', '192.0.2.1', '2001:db8:0:0:0:0:0:1'])
    expect(pair.notAfter - pair.notBefore).toBe(30 * 86_400_000)
    expect(pair.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
    expect(() => tls.createSecureContext({ cert: pair.certificate, key: pair.privateKey })).not.toThrow()
  })

  test('a certificate of the tutorial, with a common name alone, is for that name', () => {
    const made = openssl('tutorial', ['-newkey', 'rsa:2048'], ['-subj', '/C=DE/O=Example/CN=nginx.example.com'])
    expect(readKeyPair(made.certificate, made.key)).toMatchObject({ names: ['nginx.example.com'] })
  })

  test('an alternative name that holds a separator is not two names', () => {
    const pair = readKeyPair(certificatePem({ names: ['evil.example, DNS:bank.example', 'good.example'], key: 'a' }), keyPem('a'))
    if ('wrong' in pair) throw new Error(pair.wrong)
    expect(pair.names).not.toContain('bank.example')
    expect(pair.names).toContain('good.example')
  })

  test('text around the PEM blocks and windows line ends do not matter', () => {
    const made = openssl('noisy', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'], ['-subj', '/CN=a.example'])
    expect(readKeyPair(`Certificate:\n${made.certificate}\ntrailing`.replaceAll('\n', '\r\n'), made.key)).toMatchObject({ names: ['a.example'] })
  })

  test('the legacy form of an encrypted key is recognised', () => {
    const made = openssl('legacy', ['-newkey', 'rsa:2048'], ['-subj', '/CN=a.example'])
    const encrypted = execFileSync('openssl', ['rsa', '-aes128', '-traditional', '-passout', 'pass:secret'], { input: made.key, stdio: 'pipe' }).toString()
    expect(readKeyPair(made.certificate, encrypted)).toMatchObject({ wrong: 'tls.key is encrypted, and there is no passphrase for it' })
  })
})

test('a chain is served from the leaf upwards, without strangers', () => {
  const [root, middle] = [certificatePem({ cn: 'ca', key: 'ca' }), certificatePem({ cn: 'middle leaf', key: 'middle', issuer: 'ca' })]
  const leaf = certificatePem({ names: ['a.example'], key: 'a', issuer: 'ca' })
  const pair = readKeyPair(middle + root + leaf, keyPem('a'))
  if ('wrong' in pair) throw new Error(pair.wrong)
  expect(pair.reordered).toBe(true)
  expect(normal(pair.certificate)).toBe(normal(leaf + root))
})

function normal(pem: string): string {
  return pem.replace(/\s+/g, '')
}

test('any text is refused without a throw and never quoted', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 12 }), fc.constantFrom('CERTIFICATE', 'PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY'), (body, label) => {
      const pem = `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`
      for (const read of [readKeyPair(pem, pem), readKeyPair(certificatePem({ names: ['a.example'], key: 'a' }), pem)]) {
        expect(read).toHaveProperty('wrong')
        if (body.trim().length >= 12) expect(JSON.stringify(read)).not.toContain(body)
      }
    }),
    { seed: 11, numRuns: 40 },
  )
})
