// HTTP/2 over TLS: small requests, and unary gRPC calls.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GRPC_MESSAGE } from '../backend.ts'
import { COST_COLUMNS, cheaperThan, costContenders, costSeconds, type Load } from '../cost.ts'
import { h2load } from '../h2load.ts'
import { GRPC_HOST, HOST, type Ability, type Peer } from '../peer.ts'
import { nodeAlone } from '../peers/node-alone.ts'
import type { Scenario } from '../scenario.ts'

const CONNECTIONS = 16
const STREAMS = 8

function http2(name: string, title: string, how: string, ability: Ability, most: number, load: Load, beside: readonly Pick<Peer, 'name' | 'start'>[] = []): Scenario {
  const goals = [cheaperThan('nginx', most)]
  return {
    name,
    title,
    how,
    needs: ['h2load'],
    columns: COST_COLUMNS,
    goals,
    contenders: (peers) => costContenders([...peers.filter(({ can }) => can.includes(ability)), ...beside], goals, load),
    lasts: costSeconds,
  }
}

const get: Load = (work, seconds) => h2load(work, seconds, { host: HOST, path: '/', connections: CONNECTIONS, streams: STREAMS })

const call: Load = (work, seconds) => {
  const body = join(work.folder, 'message')
  writeFileSync(body, GRPC_MESSAGE)
  const fields = ['content-type: application/grpc', 'te: trailers']
  return h2load(work, seconds, { host: GRPC_HOST, path: '/bench.Echo/Unary', connections: CONNECTIONS, streams: STREAMS, body, fields })
}

const CLIENTS = `HTTPS, ${CONNECTIONS} connections with ${STREAMS} requests at once on each`

export const HTTP2: readonly Scenario[] = [
  http2('get-h2', '120-byte GET over HTTP/2', `${CLIENTS}; backends speak HTTP/1.1. Node alone is no proxy: node:http2 answers by itself, which shows what frames cost there.`, 'http2', 1.3, get, [nodeAlone]),
  http2('grpc', 'Unary gRPC call', `${CLIENTS}, messages of five bytes; backends speak HTTP/2 without TLS. nginx: grpc_pass.`, 'grpc', 1.5, call),
]
