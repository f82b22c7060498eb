// What every TLS listener allows: Mozilla's "intermediate" profile without the finite-field DHE suites, which
// need parameters that nobody rotates and that no client of the last ten years asks for.
import { constants } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import type { HandshakeTerms } from '../../model/policy.ts'
import type { TlsSettings } from '../../model/tls.ts'

const TLS12_SUITES = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]
const TLS13_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']

/** A client whose first choice is ChaCha20 has no AES in its hardware. */
const SECURE_OPTIONS = constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_PRIORITIZE_CHACHA

/** `terms` of a host go before `settings`. */
export function protocolOptions(settings: TlsSettings, terms?: HandshakeTerms): SecureContextOptions {
  const { minVersion, maxVersion } = terms?.versions ?? settings
  const ciphers = terms?.ciphers ?? settings.ciphers
  return {
    minVersion,
    maxVersion,
    ciphers: [...TLS13_SUITES, ...(ciphers === undefined ? TLS12_SUITES : [ciphers, '!aNULL', '!eNULL'])].join(':'),
    // Ours: ECDSA before RSA, AES-128 before AES-256.
    honorCipherOrder: terms?.preferServerCiphers ?? settings.preferServerCiphers,
    // Sessions of clients with certificates do not resume: a revoked one counts at once.
    secureOptions: terms?.clientCa === undefined ? SECURE_OPTIONS : SECURE_OPTIONS | constants.SSL_OP_NO_TICKET,
    // The same in all threads, which Node's default (a hash of the command line) need not be: else tickets of one are refused by another. And
    // another for other terms, so that nobody gets in on a handshake that was not on these.
    sessionIdContext: terms === undefined ? 'narthex' : terms.id.slice(0, 32),
    ...(terms?.clientCa !== undefined && { ca: terms.clientCa.certificates, ...(terms.clientCa.revoked !== undefined && { crl: terms.clientCa.revoked }) }),
  }
}
