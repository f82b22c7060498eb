// What can be asked of TLS handshakes as text, by option or annotation, and what becomes of it.
import { createSecureContext } from 'node:tls'

export const TLS_VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const

export type TlsVersion = (typeof TLS_VERSIONS)[number]

export interface TlsVersions {
  readonly minVersion: TlsVersion
  readonly maxVersion: TlsVersion
}

/** Of hosts that ask for nothing else. */
export interface TlsSettings extends TlsVersions {
  /** OpenSSL's list for TLS 1.2 and before; undefined: ours. */
  readonly ciphers: string | undefined
  readonly preferServerCiphers: boolean
}

export const DEFAULT_TLS: TlsSettings = Object.freeze({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', ciphers: undefined, preferServerCiphers: true })

/**
 * `TLSv1.2 TLSv1.3`, in any order and case. Always a range, and never one with a version that was not asked for: what is unknown is left out,
 * below a gap everything is, and of nothing at all TLSv1.3 is left. `wrong` then says so, as a clause.
 */
export function readTlsVersions(text: string): TlsVersions & { readonly wrong?: string } {
  const names = text.split(/[\s,]+/).filter((name) => name !== '')
  const asked = TLS_VERSIONS.map((version) => names.some((name) => name.toLowerCase() === version.toLowerCase()))
  const highest = asked.lastIndexOf(true)
  if (highest < 0) return { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', wrong: `names none of ${TLS_VERSIONS.join(', ')}` }
  const gap = asked.lastIndexOf(false, highest)
  const range = { minVersion: TLS_VERSIONS[gap + 1] ?? 'TLSv1.3', maxVersion: TLS_VERSIONS[highest] ?? 'TLSv1.3' }
  const unknown = names.find((name) => !TLS_VERSIONS.some((version) => version.toLowerCase() === name.toLowerCase()))
  if (unknown !== undefined) return { ...range, wrong: `has ${JSON.stringify(unknown.slice(0, 40))}, which is none of ${TLS_VERSIONS.join(', ')}` }
  return asked.slice(0, Math.max(0, gap)).includes(true) ? { ...range, wrong: `leaves out ${TLS_VERSIONS[gap]} between others` } : range
}

/** Whether OpenSSL takes it for a list of ciphers with at least one in it. */
export function isCipherList(text: string): boolean {
  if (!/^[\w!:+=@., -]{1,1024}$/.test(text)) return false
  try {
    createSecureContext({ ciphers: text })
    return true
  } catch {
    return false
  }
}
