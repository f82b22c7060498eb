import { PROXY_CORE } from '../cores.ts'
import type { Peer } from '../peer.ts'
import { startPinned } from '../process.ts'

/** No proxy: Node's own TLS and HTTP/2, which answer by themselves. */
export const nodeAlone: Pick<Peer, 'name' | 'start'> = {
  name: 'Node alone',
  start: (work) => startPinned(PROXY_CORE, process.execPath, ['bench/programs/node-alone.ts', JSON.stringify(work)]),
}
