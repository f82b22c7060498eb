// The data plane with one host, one route and the backends of the benchmark, as if translated from an Ingress.
import { readFileSync } from 'node:fs'
import { silentLog } from '../../src/base/log.ts'
import { NO_POLICY } from '../../src/model/policy.ts'
import { EMPTY_ROUTING, type RoutingConfig } from '../../src/model/routing.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { startDataPlane } from '../../src/runtime/data-plane.ts'
import { HOST, type Work } from '../peer.ts'

const work = JSON.parse(process.argv[2] ?? '{}') as Work
const object = { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', namespace: 'bench', name: 'bench' }
const config: RoutingConfig = {
  ...EMPTY_ROUTING,
  hosts: new Map([
    [
      HOST,
      {
        name: HOST,
        routes: [
          {
            path: '/',
            pathType: 'Prefix',
            backend: 'bench/web:80',
            status: 503,
            policy: NO_POLICY,
            source: { object, field: 'spec.rules[0].http.paths[0]', createdAt: 0, service: 'web', servicePort: '80' },
          },
        ],
      },
    ],
  ]),
  backends: new Map([
    [
      'bench/web:80',
      {
        id: 'bench/web:80',
        namespace: 'bench',
        service: 'web',
        port: '80',
        scheduler: 'rr',
        endpoints: work.backendPorts.map((port) => ({ id: `127.0.0.1:${port}`, address: '127.0.0.1', port, weight: 1 })),
      },
    ],
  ]),
}
const plane = await startDataPlane({
  settings: () => ({ ...DEFAULT_SETTINGS, limits: { ...DEFAULT_SETTINGS.limits, bodyBytes: 0, requestsPerConnection: 0 } }),
  listeners: [
    { port: work.httpPort, address: '127.0.0.1', tls: false },
    { port: work.tlsPort, address: '127.0.0.1', tls: true },
  ],
  threads: Number(process.argv[3] ?? 1),
  defaultCertificate: { certificate: readFileSync(work.certificate, 'utf8'), privateKey: readFileSync(work.privateKey, 'utf8') },
  log: silentLog,
})
await plane.apply(config)
process.on('SIGTERM', () => process.exit(0))
