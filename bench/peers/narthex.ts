import { readFileSync } from 'node:fs'
import type { Peer } from '../peer.ts'
import { PROXY_CORE, startPinned } from '../process.ts'

/** The data plane as `narthex run` starts it: one thread, metrics and request ids on. */
export const narthex: Peer = {
  name: 'narthex',
  version: () => /"version":\s*"([^"]+)"/.exec(readFileSync('package.json', 'utf8'))?.[1],
  start: (work) => startPinned(PROXY_CORE, process.execPath, ['bench/programs/narthex.ts', JSON.stringify(work)]),
}
