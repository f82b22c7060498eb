import { readFileSync } from 'node:fs'
import { PROXY_CORE } from '../cores.ts'
import type { Peer, Work } from '../peer.ts'
import { startPinned, type Running } from '../process.ts'

/** What `bench/programs/narthex.ts` is told beside the work. */
export interface NarthexOptions {
  readonly threads?: number
  /** Hosts beside the one asked for, each with one route, with every policy there is or with none. */
  readonly others?: { readonly count: number; readonly policies: boolean }
  /** Of the route asked for: a filter that lets all requests go on, or every policy. */
  readonly policy?: 'filter' | 'every'
}

/** The data plane as `narthex run` starts it: one thread, metrics and request ids on. */
export const narthex: Peer = {
  name: 'narthex',
  can: ['http2', 'grpc', 'websocket'],
  version: () => /"version":\s*"([^"]+)"/.exec(readFileSync('package.json', 'utf8'))?.[1],
  start: (work) => startNarthex(work, {}),
}

export function startNarthex(work: Work, options: NarthexOptions, core = PROXY_CORE): Running {
  return startPinned(core, process.execPath, ['bench/programs/narthex.ts', JSON.stringify(work), JSON.stringify(options)])
}
