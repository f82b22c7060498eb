// What every TLS listener allows: Mozilla's "intermediate" profile without the finite-field DHE suites, which
// need parameters that nobody rotates and that no client of the last ten years asks for.
import { constants } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'

const TLS12_SUITES = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]
export const TLS13_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']

export const PROTOCOL_OPTIONS = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: [...TLS13_SUITES, ...TLS12_SUITES].join(':'),
  // ECDSA before RSA, AES-128 before AES-256; but a client whose first choice is ChaCha20 has no AES in its hardware.
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_PRIORITIZE_CHACHA,
  // The same in all threads, which Node's default (a hash of the command line) need not be: else tickets of one are refused by another.
  sessionIdContext: 'narthex',
} as const satisfies SecureContextOptions
