// Every metric of ours: its name, meaning and labels. Labels are bounded by the objects that exist and by closed lists; nothing
// that a client sends is one. Series of deleted objects are gone from the figures before they come here.
import { FAILURES } from '../base/failure.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { RoutingConfig } from '../model/routing.ts'
import type { EjectionCount, EndpointHealthFigure } from './endpoint-figures.ts'
import { family, histogram, summary, type Labels, type Sample } from './exposition.ts'
import { DURATION_BOUNDS, STATUS_CLASSES, type SeriesFigures, type ThreadFigures } from './figures.ts'
import type { LoopFigures } from './loop-figures.ts'
import type { StreamFigures } from './stream-counters.ts'

export interface DataPlaneFigures extends ThreadFigures {
  readonly threads: number
  readonly restarts: number
  readonly version: number
  /** Of backends whose schedulers count. */
  readonly inFlight?: readonly EndpointInFlight[]
  readonly endpointHealth?: readonly EndpointHealthFigure[]
  readonly ejections?: readonly EjectionCount[]
  readonly busyMs?: readonly (readonly [thread: number, ms: number])[]
}

export interface EndpointInFlight {
  readonly namespace: string
  readonly service: string
  readonly port: string
  readonly endpoint: string
  readonly count: number
}

export interface MetricsView {
  readonly version: string
  readonly ready: boolean
  readonly config: RoutingConfig
  readonly diagnostics: readonly Diagnostic[]
  readonly dataPlane: DataPlaneFigures
  readonly loop: LoopFigures
  /** Watches of the Kubernetes API begun anew, by kind. */
  /** This replica writes status and Events. */
  readonly leads: boolean
  readonly watchRestarts: Readonly<Record<string, number>>
}

export function renderMetrics(view: MetricsView): string {
  return [...requestFamilies(view.dataPlane), ...connectionFamilies(view.dataPlane), ...streamFamilies(view), ...tableFamilies(view), ...controlFamilies(view)].join('')
}

function requestFamilies({ series, failures, retriesRefused }: ThreadFigures): string[] {
  const counted = series.filter(([, { statuses }]) => statuses.some((count) => count > 0)).map(([, each]) => each)
  const each = (value: (figures: SeriesFigures) => number): Sample[] => counted.map((figures) => ({ labels: labelsOf(figures), value: value(figures) }))
  const durations = counted.map((figures) => ({
    labels: labelsOf(figures),
    buckets: figures.durations,
    sum: figures.durationSum / 1000,
  }))
  return [
    family('narthex_requests_total', 'counter', 'Requests answered, by status class; empty labels: no route took them.', counted.flatMap(byStatus)),
    histogram('narthex_request_duration_seconds', 'From the end of the request head to the last byte of the answer.', DURATION_BOUNDS.map((ms) => ms / 1000), durations),
    family('narthex_retries_total', 'counter', 'Endpoints tried beyond the first of a request.', each(({ retries }) => retries)),
    family('narthex_retries_refused_total', 'counter', 'Endpoints that were not tried because --retry-budget was spent.', [{ value: retriesRefused }]),
    family('narthex_request_bytes_total', 'counter', 'Bytes of requests as received from clients.', each(({ bytesIn }) => bytesIn)),
    family('narthex_response_bytes_total', 'counter', 'Bytes of answers as sent to clients.', each(({ bytesOut }) => bytesOut)),
    family('narthex_failures_total', 'counter', 'Requests that the backend did not answer, by kind and by whom to blame.',
      failures.map(([kind, value]) => ({ labels: { kind, source: FAILURES[kind].source }, value }))),
  ]
}

function byStatus(figures: SeriesFigures): Sample[] {
  return STATUS_CLASSES.map((status, i) => ({ labels: { ...labelsOf(figures), status }, value: figures.statuses[i] ?? 0 })).filter(({ value }) => value > 0)
}

function labelsOf({ labels: { namespace, ingress, service } }: SeriesFigures): Labels {
  return { namespace, ingress, service }
}

function connectionFamilies(figures: ThreadFigures): string[] {
  const byListener = ({ http, https }: { readonly http: number; readonly https: number }): Sample[] => [
    { labels: { listener: 'http' }, value: http },
    { labels: { listener: 'https' }, value: https },
  ]
  return [
    family('narthex_connections', 'gauge', 'Connections of clients that are open.', byListener(figures.connections)),
    family('narthex_connections_accepted_total', 'counter', 'Connections of clients accepted.', byListener(figures.connectionsAccepted)),
    family('narthex_connections_refused_total', 'counter', 'Connections closed at accept: too many, or without the PROXY protocol header asked for.', [{ value: figures.connectionsRefused }]),
    family('narthex_tls_handshake_failures_total', 'counter', 'TLS handshakes that failed.', [{ value: figures.handshakesFailed }]),
    family('narthex_access_log_lines_dropped_total', 'counter', 'Lines of the access log that were dropped because it was not read fast enough.', [{ value: figures.logLinesDropped }]),
    family('narthex_tunnels', 'gauge', 'Upgraded connections (WebSocket) that are open.', [{ value: figures.tunnels }]),
  ]
}

function streamFamilies({ config, dataPlane }: MetricsView): string[] {
  const streams = dataPlane.streams.flatMap(([id, figures]) => {
    const labels = streamLabels(config, id)
    return labels === undefined ? [] : [{ labels, figures }]
  })
  const each = (cell: keyof StreamFigures): Sample[] => streams.map(({ labels, figures }) => ({ labels, value: figures[cell] }))
  return [
    family('narthex_stream_connections', 'gauge', 'Connections of TCP services, and clients of UDP services, that are open.', each('open')),
    family('narthex_stream_connections_total', 'counter', 'Connections of TCP services, and clients of UDP services, accepted.', each('accepted')),
    family('narthex_stream_refused_total', 'counter', 'Turned away: too many, or no valid PROXY protocol header.', each('refused')),
    family('narthex_stream_failures_total', 'counter', 'Connections that no endpoint took.', each('failed')),
    family('narthex_stream_received_bytes_total', 'counter', 'Bytes from clients of TCP and UDP services.', each('bytesIn')),
    family('narthex_stream_sent_bytes_total', 'counter', 'Bytes to clients of TCP and UDP services.', each('bytesOut')),
  ]
}

/** TLS that is passed through has its host in place of a port. */
function streamLabels({ streams, hosts, backends }: RoutingConfig, id: string): Readonly<Record<string, string>> | undefined {
  const stream = streams.get(id)
  const host = id.startsWith('tls/') ? id.slice('tls/'.length) : undefined
  const backend = backends.get(stream?.backend ?? hosts.get(host ?? '')?.passthrough?.backend ?? '')
  if (backend === undefined) return undefined
  const at = stream === undefined ? { protocol: 'tls', host: host ?? '' } : { protocol: stream.protocol.toLowerCase(), port: String(stream.port) }
  return { ...at, namespace: backend.namespace, service: backend.service }
}

function tableFamilies({ config, dataPlane }: MetricsView): string[] {
  const routes = sum(config.hosts.values(), (host) => host.routes.length)
  const endpoints = sum(config.backends.values(), (backend) => backend.endpoints.length)
  // One that is not looked into yet has no date.
  const expiry = [...config.certificates.values()].filter(({ notAfter }) => notAfter > 0).map(({ id, notAfter }) => {
    const [namespace = '', secret = ''] = id.split('/')
    return { labels: { namespace, secret }, value: notAfter / 1000 }
  })
  return [
    family('narthex_table_version', 'gauge', 'Version of the table that all threads serve.', [{ value: dataPlane.version }]),
    family('narthex_hosts', 'gauge', 'Hosts in the table.', [{ value: config.hosts.size }]),
    family('narthex_routes', 'gauge', 'Routes in the table.', [{ value: routes }]),
    family('narthex_backends', 'gauge', 'Backends (ports of Services) in the table.', [{ value: config.backends.size }]),
    family('narthex_endpoints', 'gauge', 'Endpoints of all backends.', [{ value: endpoints }]),
    family('narthex_endpoint_requests_in_flight', 'gauge', 'Requests that an endpoint has not answered in full, and its tunnels; where the scheduler counts them.',
      (dataPlane.inFlight ?? []).map(({ count, ...labels }) => ({ labels, value: count }))),
    family('narthex_endpoint_out_of_use', 'gauge', '1 for each endpoint that is out of use now: ejected for its failures, or ill by its health check.',
      (dataPlane.endpointHealth ?? []).filter(({ state }) => state !== 'slow-start').map(({ namespace, service, port, endpoint, state }) => ({ labels: { namespace, service, port, endpoint, state }, value: 1 }))),
    family('narthex_ejections_total', 'counter', 'Endpoints taken out of use for their failures.', (dataPlane.ejections ?? []).map(({ count, ...labels }) => ({ labels, value: count }))),
    family('narthex_certificates', 'gauge', 'Certificates in the table.', [{ value: config.certificates.size }]),
    family('narthex_certificate_not_after_timestamp_seconds', 'gauge', 'When a certificate expires, seconds since the epoch.', expiry),
  ]
}

function controlFamilies({ version, ready, diagnostics, dataPlane, loop, leads, watchRestarts }: MetricsView): string[] {
  const byReason = new Map<string, { readonly labels: Labels; value: number }>()
  for (const { reason, severity } of diagnostics) {
    const key = `${reason} ${severity}`
    const held = byReason.get(key)
    if (held === undefined) byReason.set(key, { labels: { reason, severity }, value: 1 })
    else held.value++
  }
  return [
    family('narthex_build_info', 'gauge', 'Always 1; the label says which version runs.', [{ labels: { version }, value: 1 }]),
    family('narthex_ready', 'gauge', '1 when the first full table is live in all threads.', [{ value: ready ? 1 : 0 }]),
    family('narthex_leader', 'gauge', '1 on the replica that writes status and Events.', [{ value: leads ? 1 : 0 }]),
    family('narthex_diagnostics', 'gauge', 'Mistakes found in objects that are there now, by reason.', [...byReason.values()]),
    family('narthex_threads', 'gauge', 'Data-plane threads that serve.', [{ value: dataPlane.threads }]),
    family('narthex_thread_busy_seconds_total', 'counter', 'Time that the event loop of a data-plane thread was not idle.',
      (dataPlane.busyMs ?? []).map(([thread, ms]) => ({ labels: { thread: String(thread) }, value: ms / 1000 }))),
    family('narthex_thread_restarts_total', 'counter', 'Data-plane threads that ended and were replaced.', [{ value: dataPlane.restarts }]),
    summary('narthex_translation_duration_seconds', 'Time to translate the objects into a routing configuration.', loop.runs, loop.translateMs / 1000),
    summary('narthex_apply_duration_seconds', 'Time until all threads served a new table.', loop.runs, loop.applyMs / 1000),
    family('narthex_translation_failures_total', 'counter', 'Runs of the loop that failed: a bug, the table before stays.', [{ value: loop.failures }]),
    family('narthex_watch_restarts_total', 'counter', 'Watches of the Kubernetes API begun anew.',
      Object.entries(watchRestarts).map(([kind, value]) => ({ labels: { kind }, value }))),
  ]
}

function sum<T>(items: Iterable<T>, amount: (item: T) => number): number {
  let total = 0
  for (const item of items) total += amount(item)
  return total
}
