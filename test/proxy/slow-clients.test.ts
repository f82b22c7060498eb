// Many clients that are as slow as they can be (slowhttptest, in its three modes): the others are served all the time, and
// the slow ones are shown out when their time is over.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { RawClient } from '../support/raw-client.ts'
import { OK, ScriptedUpstream } from '../support/scripted-upstream.ts'
import { routing, startProxy, type SettingsOverrides, type TestProxy } from '../support/test-proxy.ts'

const CONNECTIONS = 60
const LARGE = `HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n${'x'.repeat(4_000_000)}`

let upstream: ScriptedUpstream
let proxy: TestProxy

afterEach(async () => {
  proxy.proxy.close()
  await upstream.stop()
})

async function start(settings: SettingsOverrides): Promise<void> {
  upstream = await ScriptedUpstream.start({ onRequest: ({ target, connection }) => connection.socket.write(target === '/large' ? LARGE : OK) })
  proxy = await startProxy(routing([{ host: '*', backend: 'web' }], { web: [`127.0.0.1:${upstream.port}`] }), settings)
}

/** Until it has ended. Answers its last report. */
async function slowhttptest(...args: string[]): Promise<string> {
  const all = ['-c', String(CONNECTIONS), '-r', '200', '-i', '1', '-l', '3', '-p', '2', ...args]
  const child = spawn('slowhttptest', all, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += String(chunk)))
  child.stderr.on('data', (chunk: Buffer) => (said += String(chunk)))
  await once(child, 'close')
  return said
}

/** A client at another address: a connection a request, over and over until `end`. Answers what it got. */
async function bystander(end: Promise<unknown>): Promise<number[]> {
  const statuses: number[] = []
  const state = { over: false }
  void end.then(() => (state.over = true))
  while (!state.over) {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', localAddress: '127.0.0.2' })
    const client = new RawClient(socket)
    socket.on('connect', () => client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'))
    statuses.push(await client.response().then(({ status }) => status, () => 0))
    client.close()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return statuses
}

const url = (path: string): string => `http://127.0.0.1:${proxy.port}${path}`

async function attack(...args: string[]): Promise<void> {
  const running = slowhttptest(...args)
  const statuses = await bystander(running)
  expect(await running).toContain('service available:')
  expect(statuses.length).toBeGreaterThan(20)
  expect(statuses.filter((status) => status !== 200)).toEqual([])
}

const failures = (kind: string, before = Infinity): number => proxy.records.filter(({ failure, startedAt, duration }) => failure === kind && startedAt + duration < before).length

it('slow heads (slowloris)', async () => {
  await start({ timeouts: { requestHead: 1000 } })
  await attack('-H', '-u', url('/'))
  expect(failures('request-timeout')).toBeGreaterThanOrEqual(CONNECTIONS)
})

it('slow bodies', async () => {
  await start({ timeouts: { requestBody: 500 } })
  await attack('-B', '-s', '8192', '-u', url('/'))
  expect(failures('request-timeout')).toBeGreaterThanOrEqual(CONNECTIONS)
  await upstream.until(() => upstream.connections.every((side) => side.closed || side.ended || !side.received.startsWith('POST')))
})

it('slow readers', async () => {
  await start({ timeouts: { send: 500 } })
  // Long enough for a busy machine to show all of them out before the attack ends by itself.
  await attack('-X', '-l', '7', '-w', '1', '-y', '2', '-n', '5', '-z', '1', '-u', url('/large'))
  // By us, not by the end of the attack.
  expect(failures('client-gone', Date.now() - 1000)).toBeGreaterThanOrEqual(CONNECTIONS)
})

it('more slow clients at one address than there may be connections in all, where one client may have some of them only', async () => {
  await start({ limits: { connections: CONNECTIONS, connectionsPerClient: CONNECTIONS / 2 } })
  await attack('-H', '-u', url('/'))
  expect(proxy.refused()).toBeGreaterThan(0)
})
