// OCSP responses beside the certificates that they are for, and what their owners should know of them.
import type { Diagnostic } from '../model/diagnostic.ts'
import type { ObjectRef } from '../model/object-ref.ts'
import type { Certificate } from '../model/routing.ts'
import type { Staple, Staples } from '../model/staple.ts'
import type { View } from './draft.ts'
import { error } from './report.ts'

const stapled = new WeakMap<Certificate, Certificate>()

/** The same object for the same response. */
export function withStaple(certificate: Certificate, staples: Staples): Certificate {
  const staple: Staple | undefined = staples.get(certificate.fingerprint)?.staple
  if (staple === undefined) return certificate
  const known = stapled.get(certificate)
  if (known?.staple === staple) return known
  const made = { ...certificate, staple }
  stapled.set(certificate, made)
  return made
}

/** Of a certificate that Secret `certificate.id` holds. */
export function stapleTroubles({ id, fingerprint, mustStaple, responder }: Certificate, { staples, options }: View, object: ObjectRef, field: string): readonly Diagnostic[] {
  const state = options.ocspStapling ? staples.get(fingerprint) : undefined
  if (state?.trouble?.kind === 'revoked') {
    const at = new Date(state.trouble.at).toISOString().replace(/\.\d+Z$/, 'Z')
    return [error('CertificateRevoked', object, { field, message: `The certificate in Secret ${id} was revoked at ${at}, its authority says; it is still served, and clients that ask refuse it.`, fix: 'Issue a new one.' })]
  }
  if (mustStaple !== true || state?.staple !== undefined) return []
  const why = !options.ocspStapling ? '--ocsp-stapling is off' : responder === undefined ? 'it names no responder that can be asked by http' : state?.trouble?.reason
  // Not asked yet.
  if (why === undefined) return []
  const fix = options.ocspStapling ? 'Make the responder reachable from here, or issue a certificate without must-staple.' : 'Start Narthex without that option, or issue a certificate without must-staple.'
  return [error('CertificateUnstapled', object, { field, message: `The certificate in Secret ${id} tells clients to insist on an OCSP response (must-staple), and there is none: ${why}; it is served without, and such clients refuse it.`, fix })]
}
