// auth-tls-*, ssl-ciphers, ssl-prefer-server-ciphers, ssl-protocols, use-http2: what an Ingress asks of the TLS connections of its hosts. A check of clients that
// can't be made as it was asked for lets nobody in.
import { RE2JS } from 're2js'
import type { Diagnostic } from '../../model/diagnostic.ts'
import type { ObjectRef } from '../../model/object-ref.ts'
import type { ClientCertificateRules } from '../../model/policy.ts'
import { isCipherList, readTlsVersions, type TlsVersions } from '../../model/tls.ts'
import { quote } from '../report.ts'
import { fieldOf, type Entry } from './entries.ts'
import { DEFAULT_DEPTH, ProtectionReader } from './protection-reader.ts'
import { readPassthrough, type AskedPassthrough } from './read-passthrough.ts'
import { isFalse, parseBool } from './spec.ts'

export interface ClientTls {
  readonly certificates?: AskedCertificates
  readonly ciphers?: string
  readonly preferServerCiphers?: boolean
  readonly versions?: TlsVersions
  readonly http1Only?: true
  readonly passthrough?: AskedPassthrough
}

export interface AskedCertificates {
  /** `namespace/name`; undefined: what is asked for can't be had, and a diagnostic says so. */
  readonly secret: string | undefined
  readonly rules: ClientCertificateRules
  readonly field: string
}

const VERIFY: readonly ClientCertificateRules['verify'][] = ['on', 'off', 'optional', 'optional_no_ca']
const LONGEST_PATTERN = 1024
const LONGEST_URL = 2048

type Entries = ReadonlyMap<string, Entry>

/** Undefined: nothing is asked. */
export function readClientTls(entries: Entries, object: ObjectRef, diagnostics: Diagnostic[]): ClientTls | undefined {
  const reader = new Reader(entries, object, diagnostics)
  const certificates = reader.certificates()
  const ciphers = reader.ciphers()
  const preferServerCiphers = reader.preference()
  const versions = reader.versions()
  const http1Only = reader.http1Only()
  const passthrough = readPassthrough(entries, object, diagnostics)
  const asked: ClientTls = {
    ...(certificates && { certificates }),
    ...(ciphers !== undefined && { ciphers }),
    ...(preferServerCiphers !== undefined && { preferServerCiphers }),
    ...(versions !== undefined && { versions }),
    ...(http1Only && { http1Only: true as const }),
    ...(passthrough && { passthrough }),
  }
  return Object.keys(asked).length === 0 ? undefined : asked
}

class Reader extends ProtectionReader {
  constructor(entries: Entries, object: ObjectRef, diagnostics: Diagnostic[]) {
    super(entries, object, diagnostics, 'so that nobody is let in unchecked, all paths of its hosts answer 403')
  }

  certificates(): AskedCertificates | undefined {
    const named = this.valued('auth-tls-secret')
    const verify = this.#verify()
    if (named === undefined) return this.#withoutSecret(verify)
    const depth = this.depth('auth-tls-verify-depth')
    const errorPage = this.#errorPage()
    const passCertificate = this.#passCertificate()
    const pattern = this.valued('auth-tls-match-cn')
    const matches = pattern === undefined || this.#isPattern(pattern)
    const rules: ClientCertificateRules = {
      verify,
      depth,
      passCertificate,
      ...(errorPage !== undefined && { errorPage }),
      ...(pattern !== undefined && matches && { matchSubject: pattern.value }),
    }
    const secret = this.secret(named)
    return { secret: matches ? secret : undefined, rules, field: fieldOf(named) }
  }

  ciphers(): string | undefined {
    const entry = this.valued('ssl-ciphers')
    if (entry === undefined) return undefined
    if (isCipherList(entry.value)) return entry.value
    this.warn(entry, `${quote(entry.value)} is no list of ciphers that OpenSSL knows; the default ones are used`, 'Check it with: openssl ciphers')
    return undefined
  }

  preference(): boolean | undefined {
    const entry = this.valued('ssl-prefer-server-ciphers')
    if (entry === undefined) return undefined
    const value = entry.value === 'on' ? true : entry.value === 'off' ? false : parseBool(entry.value)
    if (value === undefined) this.warn(entry, `${quote(entry.value)} is no boolean; the server's order of ciphers counts`, 'Set it to "true" or "false".')
    return value
  }

  versions(): TlsVersions | undefined {
    const entry = this.valued('ssl-protocols')
    if (entry === undefined) return undefined
    const { wrong, ...versions } = readTlsVersions(entry.value)
    const { minVersion, maxVersion } = versions
    if (wrong !== undefined) this.warn(entry, `${quote(entry.value)} ${wrong}; the host takes ${minVersion === maxVersion ? `${minVersion} only` : `${minVersion} to ${maxVersion}`}`, 'Write a list such as "TLSv1.2 TLSv1.3".')
    return versions
  }

  http1Only(): boolean {
    const entry = this.valued('use-http2')
    const value = entry === undefined ? true : parseBool(entry.value)
    if (entry !== undefined && value === undefined) this.warn(entry, `${quote(entry.value)} is no boolean; HTTP/2 is offered as by default`, 'Set it to "true" or "false".')
    return value === false
  }

  #withoutSecret(verify: ClientCertificateRules['verify']): AskedCertificates | undefined {
    const entry = this.valued('auth-tls-match-cn') ?? (verify === 'on' ? this.valued('auth-tls-verify-client') : undefined)
    if (entry === undefined) return undefined
    this.refuse(entry, `${entry.name} asks for client certificates, and no auth-tls-secret says whose`, 'Set auth-tls-secret to the Secret with ca.crt.')
    return { secret: undefined, rules: { verify: 'on', depth: DEFAULT_DEPTH, passCertificate: false }, field: fieldOf(entry) }
  }

  #verify(): ClientCertificateRules['verify'] {
    const entry = this.valued('auth-tls-verify-client')
    if (entry === undefined) return 'on'
    const found = VERIFY.find((each) => each === entry.value)
    if (found === undefined) this.warn(entry, `${quote(entry.value)} is no way to verify clients; it is taken as "on"`, `Use one of ${VERIFY.join(', ')}.`)
    return found ?? 'on'
  }

  #errorPage(): string | undefined {
    const entry = this.valued('auth-tls-error-page')
    if (entry === undefined) return undefined
    // Printable ASCII: it becomes a field.
    const isUrl = entry.value.length <= LONGEST_URL && /^https?:\/\/[\x21-\x7e]+$/.test(entry.value) && URL.canParse(entry.value) && !/["<>\\^`{|}$]/.test(entry.value)
    if (isUrl) return entry.value
    this.warn(entry, `${quote(entry.value)} is no http or https URL; clients without a right certificate get 400`, 'Set it to an absolute URL; paths and variables are not supported.')
    return undefined
  }

  #passCertificate(): boolean {
    const entry = this.valued('auth-tls-pass-certificate-to-upstream')
    if (entry === undefined || isFalse(entry.value)) return false
    if (parseBool(entry.value) === true) return true
    this.warn(entry, `${quote(entry.value)} is no boolean; the certificate is not sent to the backend`, 'Set it to "true" or "false".')
    return false
  }

  #isPattern(entry: Entry): boolean {
    if (entry.value.startsWith('CN=') && entry.value.length <= LONGEST_PATTERN && compiles(entry.value)) return true
    this.refuse(entry, `${quote(entry.value)} is not CN= and a regular expression (RE2)`, 'Write a pattern such as "CN=(alice|bob)".')
    return false
  }
}

function compiles(pattern: string): boolean {
  try {
    RE2JS.compile(pattern)
    return true
  } catch {
    return false
  }
}
