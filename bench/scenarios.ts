// What is measured: one kind of traffic each, through whichever proxy listens.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HOST, type Work } from './peer.ts'
import { LOAD_CORE, runPinned } from './process.ts'

export interface Measured {
  readonly requests: number
  readonly requestsPerSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly errors: number
}

export interface Scenario {
  readonly name: string
  readonly what: string
  /** Most that Narthex may cost, as a multiple of nginx' CPU per request. */
  readonly goal?: number
  run(work: Work, seconds: number): Promise<Measured>
}

const CONNECTIONS = 64

export const SCENARIOS: readonly Scenario[] = [
  { name: 'get', what: '120-byte GET, HTTP, keep-alive', goal: 1, run: (work, seconds) => wrk(work, seconds, '/') },
  { name: 'get-tls', what: '120-byte GET, HTTPS (ECDSA P-256), keep-alive', goal: 1.1, run: (work, seconds) => wrk(work, seconds, '/', { tls: true }) },
  { name: 'get-64k', what: '64 KiB response', goal: 1.3, run: (work, seconds) => wrk(work, seconds, '/64k') },
  { name: 'get-1m', what: '1 MiB response', goal: 1.3, run: (work, seconds) => wrk(work, seconds, '/1m', { connections: 16 }) },
  { name: 'post-1m', what: '1 MiB upload', goal: 1.3, run: (work, seconds) => wrk(work, seconds, '/upload', { connections: 16, body: 1024 * 1024 }) },
  { name: 'connect', what: 'a new connection per request', goal: 1.5, run: (work, seconds) => wrk(work, seconds, '/', { close: true }) },
]

interface Load {
  readonly tls?: boolean
  readonly close?: boolean
  readonly connections?: number
  readonly body?: number
}

async function wrk(work: Work, seconds: number, path: string, load: Load = {}): Promise<Measured> {
  const args = ['-t1', `-c${load.connections ?? CONNECTIONS}`, `-d${seconds}s`, '--latency', '-H', `Host: ${HOST}`]
  if (load.close) args.push('-H', 'Connection: close')
  if (load.body !== undefined) {
    const script = join(work.folder, `post-${load.body}.lua`)
    writeFileSync(script, `wrk.method = "POST"\nwrk.body = string.rep("x", ${load.body})\n`)
    args.push('-s', script)
  }
  const url = load.tls ? `https://127.0.0.1:${work.tlsPort}${path}` : `http://127.0.0.1:${work.httpPort}${path}`
  return parse(await runPinned(LOAD_CORE, 'wrk', [...args, url]))
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 }

function parse(text: string): Measured {
  const latency = (percent: string): number => {
    const match = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m)$`, 'm').exec(text)
    return Number(match?.[1] ?? NaN) * (MS_PER_UNIT[match?.[2] ?? 'ms'] ?? 1)
  }
  const socketErrors = [...(/Socket errors: (.*)/.exec(text)?.[1]?.matchAll(/\d+/g) ?? [])].reduce((sum, match) => sum + Number(match[0]), 0)
  return {
    requests: Number(/(\d+) requests in/.exec(text)?.[1] ?? 0),
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? 0),
    p50: latency('50'),
    p99: latency('99'),
    errors: socketErrors + Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0),
  }
}
