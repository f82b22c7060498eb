// backend-protocol and proxy-ssl-*: what is spoken to the backends of an Ingress, and whom they have to be. What can't be had as it was
// asked for closes the paths: requests that were to be protected on their way are not sent without.
import { isIP } from 'node:net'
import type { Diagnostic } from '../../model/diagnostic.ts'
import type { ObjectRef } from '../../model/object-ref.ts'
import { isCipherList, readTlsVersions, type TlsVersions } from '../../model/tls.ts'
import { quote } from '../report.ts'
import { fieldOf, type Entry } from './entries.ts'
import { DEFAULT_DEPTH, ProtectionReader } from './protection-reader.ts'
import { parseBool } from './spec.ts'

export type Speaks = 'HTTP' | 'HTTPS' | 'AUTO_HTTP' | 'GRPC' | 'GRPCS'

export interface AskedProtocol {
  /** Undefined: what the Service port says of itself. */
  readonly speaks: Speaks | undefined
  readonly tls: AskedTls | undefined
}

export interface AskedTls {
  /** `namespace/name`. */
  readonly secret?: string
  /** Then there is a Secret too. */
  readonly verify: boolean
  readonly depth: number
  readonly name?: string
  readonly sendName: boolean
  readonly ciphers?: string
  readonly versions?: TlsVersions
  /** Of the first annotation that asks. */
  readonly field: string
}

export interface ProtocolReading {
  readonly protocol: AskedProtocol | undefined
  /** The paths of the Ingress answer 503. */
  readonly closes: boolean
}

const SPEAKS: readonly Speaks[] = ['HTTP', 'HTTPS', 'AUTO_HTTP', 'GRPC', 'GRPCS']
const NAMES = ['proxy-ssl-secret', 'proxy-ssl-verify', 'proxy-ssl-verify-depth', 'proxy-ssl-name', 'proxy-ssl-server-name', 'proxy-ssl-ciphers', 'proxy-ssl-protocols']
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9_]([-a-z0-9_]*[a-z0-9])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9])?)*$/i
const NOTHING: ProtocolReading = Object.freeze({ protocol: undefined, closes: false })

type Entries = ReadonlyMap<string, Entry>

export function readProtocol(entries: Entries, object: ObjectRef, diagnostics: Diagnostic[]): ProtocolReading {
  const reader = new Reader(entries, object, diagnostics)
  const speaks = reader.speaks()
  const tls = reader.tls()
  if (tls !== undefined && (speaks === undefined || speaks === 'HTTP' || speaks === 'GRPC')) reader.warnInVain(speaks)
  if (reader.closes) return { protocol: undefined, closes: true }
  return speaks === undefined && tls === undefined ? NOTHING : { protocol: { speaks, tls }, closes: false }
}

/** Stands for it in the key of a backend: equal ones are equal. */
export function protocolText({ speaks, tls }: AskedProtocol): string {
  if (tls === undefined) return speaks ?? ''
  const { field: _, ...rest } = tls
  return `${speaks ?? ''}${JSON.stringify(rest)}`
}

class Reader extends ProtectionReader {
  closes = false

  constructor(entries: Entries, object: ObjectRef, diagnostics: Diagnostic[]) {
    super(entries, object, diagnostics, 'so that nothing is sent unprotected, the paths of this Ingress answer 503')
  }

  speaks(): Speaks | undefined {
    const asked = this.#asked()
    // Who takes the TLS of clients as it comes speaks TLS: so does ingress-nginx with such a backend when it is asked over plain HTTP.
    const isPassed = parseBool(this.valued('ssl-passthrough')?.value ?? '') === true
    if (!isPassed) return asked
    return asked === 'GRPC' ? 'GRPCS' : asked === undefined || asked === 'HTTP' ? 'HTTPS' : asked
  }

  #asked(): Speaks | undefined {
    const entry = this.valued('backend-protocol')
    if (entry === undefined) return undefined
    const wanted = entry.value.toUpperCase()
    const found = SPEAKS.find((each) => each === wanted)
    if (wanted === 'FCGI') this.refuse(entry, 'Narthex does not speak FastCGI', 'Put a web server that does (nginx, Caddy) beside the application, and name its port.')
    else if (found === undefined) this.refuse(entry, `${quote(entry.value)} is no protocol that Narthex knows`, `Use one of ${SPEAKS.join(', ')}.`)
    return found
  }

  tls(): AskedTls | undefined {
    const first = NAMES.map((name) => this.valued(name)).find((entry) => entry !== undefined)
    if (first === undefined) return undefined
    const named = this.valued('proxy-ssl-secret')
    const secret = named === undefined ? undefined : this.secret(named)
    const verify = this.#switch('proxy-ssl-verify', true)
    if (verify && secret === undefined && !this.closes) {
      const entry = this.valued('proxy-ssl-verify') ?? first
      this.refuse(entry, 'proxy-ssl-verify asks for a check of the backend’s certificate, and no proxy-ssl-secret says who vouches for it', 'Set proxy-ssl-secret to a Secret with ca.crt.')
    }
    const name = this.#name()
    const ciphers = this.#ciphers()
    const versions = this.#versions()
    const tls: AskedTls = {
      ...(secret !== undefined && { secret }),
      verify,
      depth: this.depth('proxy-ssl-verify-depth'),
      ...(name !== undefined && { name }),
      sendName: this.#switch('proxy-ssl-server-name', false),
      ...(ciphers !== undefined && { ciphers }),
      ...(versions !== undefined && { versions }),
      field: fieldOf(first),
    }
    const { field: _, ...asked } = tls
    // Only what is so anyway.
    return Object.keys(asked).length === 3 && !tls.verify && !tls.sendName && tls.depth === DEFAULT_DEPTH ? undefined : tls
  }

  warnInVain(speaks: Speaks | undefined): void {
    const entry = NAMES.map((name) => this.valued(name)).find((each) => each !== undefined)
    if (entry === undefined) return
    const why = speaks === undefined ? 'no backend-protocol asks for TLS, so that it counts for Service ports alone whose appProtocol does' : `backend-protocol is ${speaks}, so that it has no effect`
    this.warn(entry, `${entry.name} is about TLS towards the backend, and ${why}`, 'Set backend-protocol to HTTPS or GRPCS, or remove the annotation.')
  }

  /** `protects`: a value that is neither closes the paths. */
  #switch(name: string, protects: boolean): boolean {
    const entry = this.valued(name)
    if (entry === undefined || entry.value === 'off') return false
    if (entry.value === 'on') return true
    const wrong = `${quote(entry.value)} is neither on nor off`
    if (protects) this.refuse(entry, wrong, 'Set it to "on" or "off".')
    else this.warn(entry, `${wrong}; ${name} is taken as off`, 'Set it to "on" or "off".')
    return false
  }

  #name(): string | undefined {
    const entry = this.valued('proxy-ssl-name')
    if (entry === undefined) return undefined
    if (DNS_NAME.test(entry.value) || isIP(entry.value) !== 0) return entry.value.toLowerCase()
    this.refuse(entry, `${quote(entry.value)} is no name that a certificate could be for`, 'Write a DNS name such as "api.internal".')
    return undefined
  }

  #ciphers(): string | undefined {
    const entry = this.valued('proxy-ssl-ciphers')
    if (entry === undefined || entry.value === 'DEFAULT') return undefined
    if (isCipherList(entry.value)) return entry.value
    this.refuse(entry, `${quote(entry.value)} is no list of ciphers that OpenSSL knows`, 'Check it with: openssl ciphers')
    return undefined
  }

  #versions(): TlsVersions | undefined {
    const entry = this.valued('proxy-ssl-protocols')
    if (entry === undefined) return undefined
    const { wrong, ...versions } = readTlsVersions(entry.value)
    if (wrong !== undefined) this.warn(entry, `proxy-ssl-protocols ${wrong}; ${versions.minVersion} to ${versions.maxVersion} are spoken`, 'Set it to "TLSv1.2 TLSv1.3".')
    return versions
  }

  protected override refuse(entry: Entry, wrong: string, fix: string): void {
    this.closes = true
    super.refuse(entry, wrong, fix)
  }
}
