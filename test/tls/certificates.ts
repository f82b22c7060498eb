// Certificates made by openssl, an outside judge of what a key pair is.
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Certificate } from '../../src/model/routing.ts'

const run = promisify(execFile)

/** A self-signed EC certificate of the first name, as a routing certificate. */
export function certificateFor(id: string, ...names: string[]): Promise<Certificate> {
  return makeCertificate(id, names, ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'])
}

export function rsaCertificateFor(id: string, ...names: string[]): Promise<Certificate> {
  return makeCertificate(id, names, ['rsa:2048'])
}

async function makeCertificate(id: string, names: readonly string[], newKey: readonly string[]): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'narthex-test-'))
  try {
    const key = join(folder, 'key.pem')
    const certificate = join(folder, 'certificate.pem')
    const altNames = names.map((name) => `DNS:${name}`).join(',')
    const kind = ['-newkey', ...newKey, '-nodes', '-days', '7']
    const subject = ['-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${altNames}`]
    await run('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', certificate])
    const pem = await readFile(certificate, 'utf8')
    const parsed = new X509Certificate(pem)
    return {
      id,
      certificate: pem,
      privateKey: await readFile(key, 'utf8'),
      names,
      notAfter: parsed.validToDate.getTime(),
      fingerprint: parsed.fingerprint256,
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}
