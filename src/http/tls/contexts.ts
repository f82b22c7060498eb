// Which certificate a handshake gets, asked anew at each one, so that a rotated Secret needs no new listener and closes no
// connection. Knows names and certificates, not the table that says which belong together: that is looked up through `lookup`.
import type { SecureContext, Server, TlsOptions } from 'node:tls'
import type { Log } from '../../base/log.ts'
import type { Certificate } from '../../model/routing.ts'
import { buildContext, createContextCache } from './context-cache.ts'
import type { KeyPair } from './default-certificate.ts'
import { PROTOCOL_OPTIONS } from './protocol.ts'

export interface CertificateLookup {
  /** Ids for a lower-case SNI name, the preferred one first; undefined: the client named none. */
  idsFor(serverName: string | undefined): readonly string[]
  certificate(id: string): Certificate | undefined
}

export interface ContextsOptions {
  readonly lookup: CertificateLookup
  /** For names that no certificate covers, and where the covering ones do not load. */
  readonly defaultCertificate: KeyPair
  /** 48 bytes, the same in all threads, so that a session resumes on any of them. */
  readonly ticketKeys: Buffer
  readonly log: Log
  /** Contexts kept. */
  readonly limit?: number
}

export interface Contexts {
  /** Synchronous and cheap after the first time; always answers. */
  contextFor(serverName: string | undefined): SecureContext
  /** For `tls.createServer`: protocol, tickets, SNI callback, and the certificate for clients without SNI as it is now. */
  serverOptions(): TlsOptions
  /** Keeps that certificate up to date until the answer is called. */
  attach(server: Server): () => void
  /** To be called when the table changed. */
  refresh(): void
}

const DEFAULT_LIMIT = 1024

export function createContexts({ lookup, defaultCertificate, ticketKeys, log, limit = DEFAULT_LIMIT }: ContextsOptions): Contexts {
  const options = { ...PROTOCOL_OPTIONS, ticketKeys }
  const servers = new Set<Server>()
  const fallback = buildContext(options, defaultCertificate)
  const cache = createContextCache(limit, options, (certificate, reason) => {
    log('error', 'certificate does not load, the last good one or the default serves instead', { certificate: certificate.id, reason })
  })
  /** The certificate that `nameless` was last chosen for. */
  let asked: Certificate | undefined
  let nameless = defaultCertificate

  function contextFor(serverName: string | undefined): SecureContext {
    for (const id of lookup.idsFor(normalised(serverName))) {
      const certificate = lookup.certificate(id)
      const context = certificate === undefined ? undefined : cache.of(certificate)
      if (context !== undefined) return context
    }
    return fallback
  }

  // What a client without SNI gets: only a pair that loads, since a listener must not break over it.
  function namelessPair(asked: Certificate | undefined, held: KeyPair): KeyPair {
    if (asked === undefined) return defaultCertificate
    return loads(asked) ? asked : held
  }

  function loads(certificate: Certificate): boolean {
    try {
      buildContext(options, certificate)
      return true
    } catch {
      return false
    }
  }

  function namelessAsked(): Certificate | undefined {
    const [id] = lookup.idsFor(undefined)
    return id === undefined ? undefined : lookup.certificate(id)
  }

  function renewNameless(): void {
    const now = namelessAsked()
    if (now === asked) return
    asked = now
    nameless = namelessPair(now, nameless)
    for (const server of servers) server.setSecureContext(namelessOptions())
  }

  const namelessOptions = () => ({ ...options, cert: nameless.certificate, key: nameless.privateKey })

  return {
    contextFor,
    serverOptions() {
      renewNameless()
      return { ...namelessOptions(), SNICallback: (serverName, answer) => answer(null, contextFor(serverName)) }
    },
    attach(server) {
      servers.add(server)
      return () => servers.delete(server)
    },
    refresh() {
      cache.sweep((id) => lookup.certificate(id) !== undefined)
      renewNameless()
    },
  }
}

/** A client may send any case and, against RFC 6066 section 3, a trailing dot. */
function normalised(serverName: string | undefined): string | undefined {
  if (serverName === undefined || serverName === '') return undefined
  const lower = serverName.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}
