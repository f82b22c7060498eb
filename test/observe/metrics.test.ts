import { expect, test } from 'vitest'
import { renderMetrics } from '../../src/observe/metrics.ts'
import { renderProcessMetrics } from '../../src/observe/process-metrics.ts'
import { createCounterReader } from '../../src/observe/counter-reader.ts'
import { createThreadRecorder } from '../../src/observe/thread-recorder.ts'
import { prefix } from '../table/routes.ts'
import { fullView } from './full-view.ts'
import { requestRecord } from './request-record.ts'

const value = (text: string, series: string) => text.split('\n').find((line) => line.startsWith(`${series} `))?.slice(series.length + 1)

test('requests, retries and failures by closed labels', () => {
  const text = renderMetrics(fullView())
  const web = 'namespace="dev",ingress="web",service="web"'
  expect(value(text, `narthex_requests_total{${web},status="2xx"}`)).toBe('2')
  expect(value(text, `narthex_requests_total{${web},status="5xx"}`)).toBe('1')
  expect(value(text, 'narthex_requests_total{namespace="",ingress="",service="",status="4xx"}')).toBe('1')
  expect(value(text, `narthex_retries_total{${web}}`)).toBe('3')
  expect(value(text, 'narthex_failures_total{kind="no-route",source="client"}')).toBe('1')
})

test('durations are a cumulative histogram in seconds', () => {
  const text = renderMetrics(fullView())
  const web = 'namespace="dev",ingress="web",service="web"'
  const bucket = (le: string) => value(text, `narthex_request_duration_seconds_bucket{${web},le="${le}"}`)
  expect([bucket('0.0025'), bucket('0.005'), bucket('0.01'), bucket('10'), bucket('+Inf')]).toEqual(['0', '1', '2', '2', '3'])
  expect(value(text, `narthex_request_duration_seconds_count{${web}}`)).toBe('3')
  expect(value(text, `narthex_request_duration_seconds_sum{${web}}`)).toBe('20.01')
})

test('the table, its certificates, threads, loop, watches and diagnostics', () => {
  const text = renderMetrics(fullView())
  const expected = {
    table_version: '7',
    hosts: '2',
    routes: '2',
    backends: '3',
    endpoints: '4',
    certificates: '1',
    ready: '1',
    threads: '2',
    'thread_busy_seconds_total{thread="0"}': '1.5',
    thread_restarts_total: '1',
    translation_duration_seconds_sum: '0.25',
    apply_duration_seconds_sum: '0.5',
    translation_failures_total: '1',
    'watch_restarts_total{kind="Ingress"}': '3',
    'connections{listener="https"}': '1',
    'stream_connections{protocol="tcp",port="5432",namespace="test",service="tcp/5432"}': '1',
    'stream_received_bytes_total{protocol="tcp",port="5432",namespace="test",service="tcp/5432"}': '7',
    'certificate_not_after_timestamp_seconds{namespace="dev",secret="tls"}': '1900000000',
    'build_info{version="1.2.3"}': '1',
    'diagnostics{reason="ServiceNotFound",severity="error"}': '2',
    'diagnostics{reason="CertificateExpired",severity="warning"}': '1',
  }
  expect(Object.fromEntries(Object.keys(expected).map((series) => [series, value(text, `narthex_${series}`)]))).toEqual(expected)
  expect(text).not.toContain('SECRET')
})

test('all of it is well-formed: each family described once, no series twice, every line a sample', async () => {
  const quotes = requestRecord({ route: { ...prefix('/', 'x').source, service: 'we"ird\\na\nme' } })
  const reader = createCounterReader()
  const recorder = createThreadRecorder(reader.learn)
  recorder.request(quotes)
  const text = renderMetrics(fullView({ dataPlane: { ...reader.figures(), threads: 1, restarts: 0, version: 1 } })) + (await renderProcessMetrics())
  expect(text.endsWith('\n')).toBe(true)
  const seen = new Set<string>()
  const types = new Map<string, string>()
  for (const line of text.trimEnd().split('\n')) {
    const described = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line)
    if (described !== null) {
      expect(seen.has(`${described[1]} ${described[2]}`)).toBe(false)
      seen.add(`${described[1]} ${described[2]}`)
      if (described[1] === 'TYPE') types.set(described[2] ?? '', described[3] ?? '')
    } else if (line !== '') {
      const sample = /^([a-z_:][a-z0-9_:]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.e+-]+|[+-]Inf|NaN)$/i.exec(line)
      expect(sample, line).not.toBeNull()
      expect(seen.has(`${sample?.[1]}${sample?.[2]}`), line).toBe(false)
      seen.add(`${sample?.[1]}${sample?.[2]}`)
      expect([sample?.[1], sample?.[1]?.replace(/_(bucket|sum|count)$/, '')].some((name) => types.has(name ?? '')), line).toBe(true)
    }
  }
  expect([...types.keys()].filter((name) => !name.startsWith('narthex_'))).toContain('process_cpu_seconds_total')
})

test('the CPU time of the process counts from its start, not from the first scrape', async () => {
  const { user, system } = process.cpuUsage()
  const text = await renderProcessMetrics()
  expect(Number(value(text, 'process_cpu_seconds_total'))).toBeGreaterThan(((user + system) / 1e6) * 0.9)
  expect(Number(value(text, 'process_cpu_user_seconds_total'))).toBeGreaterThan((user / 1e6) * 0.9)
})
