// Certificate to secure context: built when first asked for (0.2 ms, 16 KB each), bounded, the least recently used goes first.
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { Certificate } from '../../model/routing.ts'
import type { KeyPair } from './default-certificate.ts'

export interface ContextCache {
  /**
   * The context of a certificate. One that does not load leaves the last good one of the same id in place;
   * undefined when there is none. Never throws.
   */
  of(certificate: Certificate): SecureContext | undefined
  /** Drops what `keep` refuses. */
  sweep(keep: (id: string) => boolean): void
  readonly size: number
}

interface Entry {
  /** The one last tried, whether it loaded or not: a bad one is tried once, not at each handshake. */
  readonly certificate: Certificate
  readonly context: SecureContext | undefined
}

/** Throws when the pair does not load. */
export function buildContext(options: SecureContextOptions, { certificate, privateKey }: KeyPair): SecureContext {
  // Node takes an empty text for "none given" and fails only in the handshake.
  if (certificate === '' || privateKey === '') throw Object.assign(new Error('empty certificate or key'), { code: 'EMPTY' })
  return createSecureContext({ ...options, cert: certificate, key: privateKey })
}

export function createContextCache(
  limit: number,
  options: SecureContextOptions,
  onFailure: (certificate: Certificate, reason: string) => void,
): ContextCache {
  const entries = new Map<string, Entry>()

  function load(certificate: Certificate, held: Entry | undefined): Entry {
    try {
      return { certificate, context: buildContext(options, certificate) }
    } catch (error) {
      // OpenSSL's codes name the mistake and hold nothing of the key.
      onFailure(certificate, error instanceof Error && 'code' in error ? String(error.code) : 'unknown')
      return { certificate, context: held?.context }
    }
  }

  return {
    of(certificate) {
      const held = entries.get(certificate.id)
      const entry = held?.certificate === certificate ? held : load(certificate, held)
      entries.delete(certificate.id)
      entries.set(certificate.id, entry)
      if (entries.size > limit) {
        const [oldest] = entries.keys()
        if (oldest !== undefined) entries.delete(oldest)
      }
      return entry.context
    },
    sweep(keep) {
      for (const id of entries.keys()) if (!keep(id)) entries.delete(id)
    },
    get size() {
      return entries.size
    },
  }
}
