// h2load, the load generator for HTTP/2 over TLS: how it is called and what its report and log say.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { LOAD_CORE } from './cores.ts'
import type { Work } from './peer.ts'
import { runPinned } from './process.ts'
import type { Measured } from './wrk.ts'

export interface H2loadLoad {
  /** Whom the request is for; the connection goes to the proxy. */
  readonly host: string
  readonly path: string
  readonly connections: number
  /** At once on each connection. */
  readonly streams?: number
  /** File with a body to POST. */
  readonly body?: string
  readonly fields?: readonly string[]
}

export async function h2load(work: Work, seconds: number, load: H2loadLoad): Promise<Measured> {
  const port = work.tlsPort
  const log = join(work.folder, 'h2load.log')
  // Without the list of protocols h2load would take HTTP/1.1 as well, and nobody would notice.
  const args = ['-t1', `-c${load.connections}`, `-D${seconds}`, `--log-file=${log}`, `--connect-to=127.0.0.1:${port}`, '--npn-list=h2']
  if (load.streams !== undefined) args.push(`-m${load.streams}`)
  if (load.body !== undefined) args.push('-d', load.body)
  for (const field of load.fields ?? []) args.push('-H', field)
  // It appends.
  rmSync(log, { force: true })
  const report = await runPinned(LOAD_CORE, 'h2load', [...args, `https://${load.host}:${port}${load.path}`], seconds + 20)
  return parseH2load(report, readFileSync(log, 'latin1'))
}

/** The log has a line a request: when it began, its status, and how long it took, in microseconds. */
export function parseH2load(report: string, log: string): Measured {
  const counts = /^requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout$/m.exec(report)
  const count = (group: number): number => Number(counts?.[group] ?? 0)
  const times: number[] = []
  for (let from = 0; from < log.length; ) {
    const end = log.indexOf('\n', from)
    if (end === -1) break
    times.push(Number(log.slice(log.lastIndexOf('\t', end) + 1, end)) / 1000)
    from = end + 1
  }
  times.sort((a, b) => a - b)
  // A request that got no answer counts as failed and as errored.
  return {
    requests: count(1),
    requestsPerSecond: Number(/^finished in [^,]+, ([\d.]+) req\/s/m.exec(report)?.[1] ?? 0),
    p50: times[Math.floor(times.length * 0.5)] ?? NaN,
    p99: times[Math.floor(times.length * 0.99)] ?? NaN,
    refused: count(3) - count(4),
    errors: count(3),
  }
}
