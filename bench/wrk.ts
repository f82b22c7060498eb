// wrk, the load generator for HTTP/1.1: how it is called and what its report says.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOAD_CORE } from './cores.ts'
import { HOST, type Work } from './peer.ts'
import { runPinned } from './process.ts'

/** What a load generator saw. */
export interface Measured {
  readonly requests: number
  readonly requestsPerSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Answers that are none of success. */
  readonly refused: number
  /** Those, and what got no answer at all. */
  readonly errors: number
}

export interface WrkLoad {
  readonly path: string
  readonly tls?: boolean
  /** A new connection for each request. */
  readonly close?: boolean
  readonly connections?: number
  /** Milliseconds of rest before each request of a connection, half as many to half as many again; undefined: none. */
  readonly rest?: number
  /** Bytes of a body to POST. */
  readonly body?: number
}

const CONNECTIONS = 64

export async function wrk(work: Work, seconds: number, load: WrkLoad): Promise<Measured> {
  const args = ['-t1', `-c${load.connections ?? CONNECTIONS}`, `-d${seconds}s`, '--latency', '-H', `Host: ${HOST}`]
  if (load.close) args.push('-H', 'Connection: close')
  const script = scriptOf(load)
  if (script !== '') {
    const path = join(work.folder, 'wrk.lua')
    writeFileSync(path, script)
    args.push('-s', path)
  }
  const url = load.tls ? `https://127.0.0.1:${work.tlsPort}${load.path}` : `http://127.0.0.1:${work.httpPort}${load.path}`
  return parseWrk(await runPinned(LOAD_CORE, 'wrk', [...args, url], seconds + 20))
}

function scriptOf({ body, rest }: WrkLoad): string {
  const post = body === undefined ? '' : `wrk.method = "POST"\nwrk.body = string.rep("x", ${body})\n`
  return rest === undefined ? post : `${post}function delay() return math.random(${rest / 2}, ${rest * 1.5}) end\n`
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 }

export function parseWrk(text: string): Measured {
  const latency = (percent: string): number => {
    const match = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m)$`, 'm').exec(text)
    return Number(match?.[1] ?? NaN) * (MS_PER_UNIT[match?.[2] ?? 'ms'] ?? 1)
  }
  const socketErrors = [...(/Socket errors: (.*)/.exec(text)?.[1]?.matchAll(/\d+/g) ?? [])].reduce((sum, match) => sum + Number(match[0]), 0)
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0)
  return {
    requests: Number(/(\d+) requests in/.exec(text)?.[1] ?? 0),
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? 0),
    p50: latency('50'),
    p99: latency('99'),
    refused,
    errors: socketErrors + refused,
  }
}
