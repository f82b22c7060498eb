// Everything that metrics can show, once.
import type { Diagnostic } from '../../src/model/diagnostic.ts'
import { NO_LOOP_FIGURES, withFailure, withRun } from '../../src/observe/loop-figures.ts'
import type { MetricsView } from '../../src/observe/metrics.ts'
import { createCounterReader } from '../../src/observe/counter-reader.ts'
import { createStreamRecorder } from '../../src/observe/stream-counters.ts'
import { createThreadRecorder } from '../../src/observe/thread-recorder.ts'
import { configOf } from '../runtime/configs.ts'
import { streamConfig } from '../stream/support.ts'
import { prefix } from '../table/routes.ts'
import { requestRecord } from './request-record.ts'

const object = { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', namespace: 'dev', name: 'web' }
const diagnostic = (reason: Diagnostic['reason'], severity: Diagnostic['severity']): Diagnostic => ({ reason, severity, object, field: 'spec', message: '', fix: '' })

export function fullView(overrides: Partial<MetricsView> = {}): MetricsView {
  const reader = createCounterReader()
  const recorder = createThreadRecorder(reader.learn)
  const { source } = prefix('/', 'web')
  recorder.connectionOpened(true)
  for (const [status, duration] of [[200, 3], [200, 7], [502, 20_000]] as const) recorder.request(requestRecord({ route: source, status, duration, tries: 2 }))
  recorder.request(requestRecord({ status: 404, failure: 'no-route', tries: 0 }))
  const streams = createStreamRecorder((id, buffer) => reader.learn({ kind: 'stream', id, buffer }))
  const { streams: configured, backends } = streamConfig({ 'tcp/5432': { port: 5432, endpoints: [1] } })
  streams.of('tcp/5432').opened()
  streams.of('tcp/5432').received(7)
  const config = configOf({ 'a.example': [1, 2], 'b.example': [3] }, { certificates: new Map([['dev/tls', { id: 'dev/tls', certificate: '', privateKey: 'SECRET', names: [], notAfter: 1_900_000_000_000, fingerprint: '' }]]) })
  return {
    version: '1.2.3',
    ready: true,
    config: { ...config, streams: configured, backends: new Map([...config.backends, ...backends]) },
    diagnostics: [diagnostic('ServiceNotFound', 'error'), diagnostic('ServiceNotFound', 'error'), diagnostic('CertificateExpired', 'warning')],
    dataPlane: { ...reader.figures(), threads: 2, restarts: 1, version: 7, busyMs: [[0, 1500]], endpointHealth: [{ namespace: 'dev', service: 'web', port: '80', endpoint: '10.0.0.1:8080', state: 'ejected' }], ejections: [{ namespace: 'dev', service: 'web', reason: 'connect-failures', count: 2 }], inFlight: [{ namespace: 'dev', service: 'web', port: '80', endpoint: '10.0.0.1:8080', count: 3 }] },
    loop: withFailure(withRun(NO_LOOP_FIGURES, { at: 0, translateMs: 250, applyMs: 500 })),
    leads: true,
    watchRestarts: { Ingress: 3 },
    ...overrides,
  }
}
