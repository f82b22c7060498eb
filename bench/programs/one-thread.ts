// The data plane of one thread without supervisor and worker: what `bench/http1.ts` measures and profiles.
import { localCursors } from '../../src/balance/cursor.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { wholeRouting } from '../../src/model/delta.ts'
import { NO_POLICY } from '../../src/model/policy.ts'
import { EMPTY_ROUTING } from '../../src/model/routing.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { createThreadRecorder } from '../../src/observe/thread-recorder.ts'
import { createProxy } from '../../src/proxy/proxy.ts'
import { HOST, type Work } from '../peer.ts'

const work = JSON.parse(process.argv[2] ?? '{}') as Work
const source = {
  object: { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', namespace: 'bench', name: 'bench' },
  field: 'spec.rules[0].http.paths[0]',
  createdAt: 0,
  service: 'web',
  servicePort: '80',
}
const endpoints = work.backendPorts.map((port) => ({ id: `127.0.0.1:${port}`, address: '127.0.0.1', port, weight: 1 }))
const proxy = createProxy({
  settings: { ...DEFAULT_SETTINGS, limits: { ...DEFAULT_SETTINGS.limits, bodyBytes: 0, requestsPerConnection: 0 } },
  cursors: localCursors(),
  recorder: createThreadRecorder(),
  clock: systemClock,
  random: Math.random,
  log: silentLog,
})
proxy.apply(
  wholeRouting({
    ...EMPTY_ROUTING,
    hosts: new Map([[HOST, { name: HOST, routes: [{ path: '/', pathType: 'Prefix', backend: 'web', status: 503, policy: NO_POLICY, source }] }]]),
    backends: new Map([['web', { id: 'web', namespace: 'bench', service: 'web', port: '80', scheduler: 'rr', endpoints }]]),
  }),
)
await proxy.listen({ port: work.httpPort, address: '127.0.0.1', tls: false, reusePort: false })
process.on('SIGTERM', () => process.exit(0))
