// Which certificates a handshake gets and on which terms, asked anew at each one, so that a rotated Secret needs no new listener and
// closes no connection. Knows names and certificates, not the table that says which belong together: that is looked up through `lookup`.
import type { Server, TlsOptions } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../../base/log.ts'
import type { HandshakeTerms } from '../../model/policy.ts'
import type { Certificate } from '../../model/routing.ts'
import type { Staple } from '../../model/staple.ts'
import type { KeyPair } from './default-certificate.ts'
import { DEFAULT_TLS, type TlsSettings } from '../../model/tls.ts'
import { chooseByKey, type KeyOffer } from './key-choice.ts'
import { protocolOptions } from './protocol.ts'
import { createServerCache, type ServerCache } from './server-cache.ts'
import { TICKET_LIFETIME, useTicketKeys, type TicketKeys } from './ticket-keys.ts'

export interface CertificateLookup {
  /** Ids for a lower-case SNI name, the preferred one first; undefined: the client named none. */
  idsFor(serverName: string | undefined): readonly string[]
  certificate(id: string): Certificate | undefined
  /** Undefined: the defaults. */
  termsFor(serverName: string | undefined): HandshakeTerms | undefined
}

export interface ContextsOptions {
  readonly lookup: CertificateLookup
  /** For names that no certificate covers, and where the covering ones do not load. */
  readonly defaultCertificate: KeyPair
  /** The same in all threads, so that a session resumes on any of them. */
  readonly ticketKeys: TicketKeys
  readonly log: Log
  /** Of hosts that ask for nothing else. */
  readonly tls?: TlsSettings
  /** Of servers, each with a context, kept by a listener. */
  readonly limit?: number
}

/** Of one listener. They shake hands with connections that are handed to them, and never listen. */
export interface TlsServers {
  /** `serverName`: lower case, without a trailing dot; `offer`: of what the client can check, to choose one of several certificates by. Synchronous and cheap after the first time; always answers. */
  serverFor(serverName: string | undefined, offer?: KeyOffer): Server
  close(): void
}

export interface Contexts {
  /** `make` gets ready options, certificates and protocol among them; `staple` is for clients that ask. */
  servers(make: (options: TlsOptions, terms: HandshakeTerms | undefined, staple: Staple | undefined) => Server): TlsServers
  /** To be called when the table changed. */
  refresh(): void
  /** Tickets are written with the current key from now on. */
  setTicketKeys(keys: TicketKeys): void
  /** For handshakes to come. `anew`: something else that servers are made of has changed. */
  configure(tls: TlsSettings, anew?: boolean): void
}

interface Listener {
  readonly make: Parameters<Contexts['servers']>[0]
  /** By HandshakeTerms.id, the least recently used first; empty: the defaults, which stay. */
  readonly byTerms: Map<string, ServerCache>
}

const DEFAULT_LIMIT = 1024

export function createContexts({ lookup, defaultCertificate, ticketKeys, log, limit = DEFAULT_LIMIT, tls: first = DEFAULT_TLS }: ContextsOptions): Contexts {
  let tls = first
  let keys = ticketKeys
  // No Secret can have this id.
  const fallback: Certificate = { id: 'default', ...defaultCertificate, names: [], notAfter: 0, fingerprint: '' }
  const all = new Set<Listener>()

  function createCache(terms: HandshakeTerms | undefined, make: Parameters<Contexts['servers']>[0]): ServerCache {
    const options = { ...protocolOptions(tls, terms), sessionTimeout: TICKET_LIFETIME, ...(terms?.clientCa !== undefined && { requestCert: true, rejectUnauthorized: false }) }
    return createServerCache(
      limit,
      (certificates) => {
        const server = make({ ...options, cert: certificates.map(({ certificate }) => certificate), key: certificates.map(({ privateKey }) => privateKey) }, terms, certificates.length === 1 ? certificates[0]?.staple : undefined)
        useTicketKeys(server, keys)
        return server
      },
      (certificate, reason) => log('error', 'certificate does not load, the last good one or the default serves instead', { certificate: certificate.id, reason }),
    )
  }

  function certificatesFor(serverName: string | undefined): readonly Certificate[] {
    return lookup.idsFor(serverName).flatMap((id) => lookup.certificate(id) ?? [])
  }

  function serverOf(cache: ServerCache, certificates: readonly Certificate[]): Server | undefined {
    return certificates.length === 0 ? undefined : cache.of(certificates)
  }

  return {
    servers(make) {
      const caches: Listener = { make, byTerms: new Map([['', createCache(undefined, make)]]) }
      const { byTerms } = caches
      all.add(caches)
      return {
        serverFor(serverName, offer) {
          const terms = lookup.termsFor(serverName)
          const id = terms?.id ?? ''
          const cache = byTerms.get(id) ?? createCache(terms, make)
          if (id !== '') {
            byTerms.delete(id)
            byTerms.set(id, cache)
            const [, oldest] = byTerms.keys()
            if (byTerms.size > limit && oldest !== undefined) byTerms.delete(oldest)
          }
          const all = certificatesFor(serverName)
          // With other ciphers than ours it can't be known whether those of one kind of key remain.
          const choice = offer === undefined || (terms?.ciphers ?? tls.ciphers) !== undefined ? all : chooseByKey(all, offer, (terms?.versions ?? tls).maxVersion)
          const server = serverOf(cache, choice) ?? serverOf(cache, all) ?? cache.of([fallback])
          if (server === undefined) throw new Error('the default certificate does not load')
          return server
        },
        close: () => all.delete(caches),
      }
    },
    refresh() {
      const keep = (id: string): boolean => id === fallback.id || lookup.certificate(id) !== undefined
      for (const { byTerms } of all) for (const cache of byTerms.values()) cache.sweep(keep)
    },
    setTicketKeys(next) {
      keys = next
      for (const cache of [...all].flatMap(({ byTerms }) => [...byTerms.values()])) {
        if (keys.accepted.length === 0) cache.renew()
        else for (const server of cache.servers()) useTicketKeys(server, keys)
      }
    },
    configure(next, anew = false) {
      if (!anew && isDeepStrictEqual(next, tls)) return
      tls = next
      for (const { byTerms, make } of all) {
        byTerms.clear()
        byTerms.set('', createCache(undefined, make))
      }
    },
  }
}
