// What a message over a WebSocket connection costs.
import { LOAD_CORE } from '../cores.ts'
import { COST_COLUMNS, cheaperThan, costContenders, costSeconds } from '../cost.ts'
import type { Peer } from '../peer.ts'
import { accepting, freePorts, runPinned, startPinned } from '../process.ts'
import type { Contender, Scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'
import type { Measured } from '../wrk.ts'

const CONNECTIONS = 64
const GOALS = [cheaperThan('nginx', 1.2)]

export const canUpgrade = (peers: readonly Peer[]): Peer[] => peers.filter(({ can }) => can.includes('websocket'))

/** With backends that answer messages, in place of those that all others share. */
export function withEchoes({ measure, ...contender }: Contender): Contender {
  return { ...contender, measure: (stage, seconds) => whileEchoing(stage, (own) => measure(own, seconds)) }
}

async function whileEchoing<T>(stage: Stage, act: (stage: Stage) => Promise<T>): Promise<T> {
  const backendPorts = await freePorts(3)
  const backend = startPinned(LOAD_CORE, process.execPath, ['bench/programs/websocket-backend.ts', ...backendPorts.map(String)])
  try {
    await Promise.all(backendPorts.map(accepting))
    return await act({ ...stage, backendPorts })
  } finally {
    await backend.stop()
  }
}

export const MESSAGES: Scenario = {
  name: 'websocket',
  title: 'WebSocket messages',
  how: `${CONNECTIONS} connections over HTTP, each sending a message of 120 bytes, waiting for one of the same size, sending the next. A request is a message and its answer. Clients and backends are written in Node and take longer than the proxy.`,
  columns: COST_COLUMNS.map((column) => ({ ...column, title: column.title.replace('request', 'message') })),
  goals: GOALS,
  contenders: (peers) =>
    costContenders(canUpgrade(peers), GOALS, async ({ httpPort }, seconds) => {
      const args = ['bench/programs/websocket-clients.ts', String(httpPort), String(seconds), String(CONNECTIONS)]
      return JSON.parse(await runPinned(LOAD_CORE, process.execPath, args, seconds + 20)) as Measured
    }).map(withEchoes),
  lasts: (seconds) => costSeconds(seconds) + 0.5,
}
