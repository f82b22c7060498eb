// Certificates to TLS server: made when first asked for (0.3 ms, 20 KB each), bounded, the least recently used goes first. A server
// for each set of certificates, and not one with Node's SNI callback: that brings a single certificate into the handshake and leaves
// the listener's own beside it, which clients that prefer its key type are then shown (of the wrong host).
import { X509Certificate } from 'node:crypto'
import type { Server } from 'node:tls'
import type { Certificate } from '../../model/routing.ts'

export interface ServerCache {
  /**
   * The server with the certificates of one name, the preferred one first: one a key type, and OpenSSL takes the one that suits what
   * the client offers. One that does not load leaves the last good one of the same id in place; undefined when there is none at
   * all. Never throws.
   */
  of(certificates: readonly Certificate[]): Server | undefined
  /** Drops what has an id that `keep` refuses. */
  sweep(keep: (id: string) => boolean): void
  servers(): Iterable<Server>
  /** Lets new servers take the place of all, each when it is asked for. */
  renew(): void
}

interface Entry {
  /** Those last tried, whether they loaded or not: a bad one is tried once, not at each handshake. */
  readonly certificates: readonly Certificate[]
  /** Those that loaded. */
  readonly good: readonly Certificate[]
  /** Undefined: there is nothing to make it of, or it is to be made anew. */
  readonly server: Server | undefined
}

/** `make` throws when a pair does not load. */
export function createServerCache(
  limit: number,
  make: (certificates: readonly Certificate[]) => Server,
  onFailure: (certificate: Certificate, reason: string) => void,
): ServerCache {
  const entries = new Map<string, Entry>()

  function tryOne(certificate: Certificate): Server | undefined {
    try {
      // Node takes an empty text for "none given" and fails only in the handshake.
      if (certificate.certificate === '' || certificate.privateKey === '') throw Object.assign(new Error('empty certificate or key'), { code: 'EMPTY' })
      return make([certificate])
    } catch (error) {
      // OpenSSL's codes name the mistake and hold nothing of the key.
      onFailure(certificate, error instanceof Error && 'code' in error ? String(error.code) : 'unknown')
      return undefined
    }
  }

  function load(certificates: readonly Certificate[], held: Entry | undefined): Entry {
    const good: Certificate[] = []
    let server: Server | undefined
    for (const certificate of certificates) {
      const own = tryOne(certificate)
      const last = own === undefined ? held?.good.find(({ id }) => id === certificate.id) : certificate
      if (last === undefined) continue
      good.push(last)
      server ??= own ?? tryOne(last)
    }
    const distinct = onePerKeyType(good)
    if (distinct.length > 1) server = make(distinct)
    return { certificates, good, server }
  }

  return {
    of(certificates) {
      const key = certificates.length === 1 ? (certificates[0]?.id ?? '') : certificates.map(({ id }) => id).join(' ')
      const held = entries.get(key)
      const entry = held !== undefined && sameList(held.certificates, certificates) ? held : load(certificates, held)
      const server = entry.server ?? (entry.good.length === 0 ? undefined : make(onePerKeyType(entry.good)))
      entries.delete(key)
      entries.set(key, server === entry.server ? entry : { ...entry, server })
      if (entries.size > limit) {
        const [oldest] = entries.keys()
        if (oldest !== undefined) entries.delete(oldest)
      }
      return server
    },
    sweep(keep) {
      for (const [key, { certificates }] of entries) if (!certificates.every(({ id }) => keep(id))) entries.delete(key)
    },
    renew() {
      for (const [key, entry] of entries) entries.set(key, { ...entry, server: undefined })
    },
    *servers() {
      for (const { server } of entries.values()) if (server !== undefined) yield server
    },
  }
}

function sameList(a: readonly Certificate[], b: readonly Certificate[]): boolean {
  return a.length === b.length && a.every((certificate, index) => certificate === b[index])
}

/** A second one of the same type would take the place of the first. All of them load. */
function onePerKeyType(certificates: readonly Certificate[]): readonly Certificate[] {
  if (certificates.length < 2) return certificates
  const byType = new Map<string, Certificate>()
  for (const certificate of certificates) {
    const type = new X509Certificate(certificate.certificate).publicKey.asymmetricKeyType ?? ''
    if (!byType.has(type)) byType.set(type, certificate)
  }
  return [...byType.values()]
}
