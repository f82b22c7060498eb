// A certificate authority run by openssl, with leaves, intermediates and a revocation list.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

export interface Issued {
  readonly certificate: string
  readonly key: string
  readonly certificateFile: string
  readonly keyFile: string
}

export interface LeafOptions {
  /** Name of the issuer in this authority; left out: the root. */
  readonly issuer?: string
  readonly isAuthority?: boolean
  readonly days?: number
  readonly altName?: string
  /** Where the revocation list would be. */
  readonly crlUri?: string
  readonly rsa?: boolean
  /** URL of the OCSP responder that it names. */
  readonly responder?: string
  readonly mustStaple?: boolean
  /** May sign OCSP responses for its issuer. */
  readonly signsOcsp?: boolean
}

export class Authority {
  readonly folder: string
  #serial = 1000

  private constructor(folder: string) {
    this.folder = folder
  }

  static async create(subject = '/O=Test, Inc/CN=root'): Promise<Authority> {
    const made = new Authority(await mkdtemp(join(tmpdir(), 'narthex-test-')))
    const extensions = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign']
    await made.#openssl('req', '-x509', ...EC, '-days', '365', '-subj', subject, '-keyout', 'root.key', '-out', 'root.pem', ...extensions)
    return made
  }

  async issue(name: string, subject: string, { issuer = 'root', isAuthority = false, days = 7, altName, crlUri, rsa = false, responder, mustStaple = false, signsOcsp = false }: LeafOptions = {}): Promise<Issued> {
    const extensions = isAuthority
      ? 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'
      : `keyUsage=digitalSignature,keyEncipherment\n${altName === undefined ? '' : `subjectAltName=DNS:${altName}\nextendedKeyUsage=serverAuth\n`}${crlUri === undefined ? '' : `crlDistributionPoints=URI:${crlUri}\n`}${responder === undefined ? '' : `authorityInfoAccess=OCSP;URI:${responder}\n`}${mustStaple ? 'tlsfeature=status_request\n' : ''}${signsOcsp ? 'extendedKeyUsage=OCSPSigning\n' : ''}`
    await writeFile(this.#at('extensions'), extensions)
    const kind = rsa ? ['-newkey', 'rsa:2048', '-nodes'] : EC
    await this.#openssl('req', ...kind, '-utf8', '-multivalue-rdn', '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`)
    const signed = ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-set_serial', String(this.#serial++), '-extfile', 'extensions']
    await this.#openssl('x509', '-req', '-in', `${name}.csr`, ...signed, ...(days > 0 ? ['-days', String(days)] : ['-days', '-1']), '-out', `${name}.pem`)
    return this.read(name)
  }

  async read(name: string): Promise<Issued> {
    const [certificateFile, keyFile] = [this.#at(`${name}.pem`), this.#at(`${name}.key`)]
    return { certificate: await readFile(certificateFile, 'utf8'), key: await readFile(keyFile, 'utf8'), certificateFile, keyFile }
  }

  /** PEM of a list by the root, with these certificates. */
  async revoke(...names: readonly string[]): Promise<string> {
    await writeFile(this.#at('ca.conf'), '[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=7\ncertificate=root.pem\nprivate_key=root.key\n')
    await writeFile(this.#at('index.txt'), '')
    for (const name of names) await this.#openssl('ca', '-config', 'ca.conf', '-revoke', `${name}.pem`)
    await this.#openssl('ca', '-config', 'ca.conf', '-gencrl', '-out', 'root.crl')
    return readFile(this.#at('root.crl'), 'utf8')
  }

  /** `openssl x509 -nameopt RFC2253`. */
  async subjectOf(name: string): Promise<string> {
    const { stdout } = await this.#openssl('x509', '-in', `${name}.pem`, '-noout', '-subject', '-nameopt', 'RFC2253')
    return stdout.trim().replace(/^subject=/, '')
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true })
  }

  #at(name: string): string {
    return join(this.folder, name)
  }

  #openssl(...args: readonly string[]): Promise<{ readonly stdout: string }> {
    return run('openssl', args, { cwd: this.folder })
  }
}
