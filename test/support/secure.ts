// What a test needs to listen with TLS, and for HTTP/2 without.
import { spawnSync } from 'node:child_process'
import { silentLog } from '../../src/base/log.ts'
import { createContexts, type Contexts } from '../../src/http/tls/contexts.ts'
import { ticketKeysAt } from '../../src/http/tls/ticket-keys.ts'
import { DEFAULT_SETTINGS, type ClientHttp2Settings } from '../../src/model/settings.ts'
import { certificateLookup } from '../../src/runtime/certificate-lookup.ts'
import { EMPTY_TABLE } from '../../src/table/table.ts'

export interface Pair {
  readonly certificate: string
  readonly privateKey: string
}

/** By openssl, so that nothing of ours judges itself. */
export function makePair(name: string): Pair {
  const made = spawnSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', '-', '-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`,
  ])
  const text = String(made.stdout)
  const at = text.indexOf('-----BEGIN CERTIFICATE-----')
  return { certificate: text.slice(at), privateKey: text.slice(0, at) }
}

/** One pair for all names. */
export function testContexts(pair: Pair): Contexts {
  return createContexts({ lookup: certificateLookup(() => EMPTY_TABLE), defaultCertificate: pair, ticketKeys: ticketKeysAt(Buffer.alloc(32, 7), 0), log: silentLog })
}

export const CLEARTEXT: ClientHttp2Settings = { ...DEFAULT_SETTINGS.http2, cleartext: true }
