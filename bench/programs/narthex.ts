// The data plane with the hosts and backends of the benchmark, as if translated from Ingresses.
import { readFileSync } from 'node:fs'
import { silentLog } from '../../src/base/log.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { startDataPlane } from '../../src/runtime/data-plane.ts'
import type { Work } from '../peer.ts'
import type { NarthexOptions } from '../peers/narthex.ts'
import { LETS_ALL_PASS, benchRouting } from './routing.ts'

const work = JSON.parse(process.argv[2] ?? '{}') as Work
const options = JSON.parse(process.argv[3] ?? '{}') as NarthexOptions
const plane = await startDataPlane({
  settings: () => ({
    ...DEFAULT_SETTINGS,
    noTlsRedirectPaths: options.policy === undefined ? DEFAULT_SETTINGS.noTlsRedirectPaths : LETS_ALL_PASS,
    limits: { ...DEFAULT_SETTINGS.limits, bodyBytes: 0, requestsPerConnection: 0 },
  }),
  listeners: [
    { port: work.httpPort, address: '127.0.0.1', tls: false },
    { port: work.tlsPort, address: '127.0.0.1', tls: true },
  ],
  threads: options.threads ?? 1,
  defaultCertificate: { certificate: readFileSync(work.certificate, 'utf8'), privateKey: readFileSync(work.privateKey, 'utf8') },
  log: silentLog,
})
await plane.apply(benchRouting(work, options))
process.on('SIGTERM', () => process.exit(0))
