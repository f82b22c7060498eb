// WebSockets through the whole controller: what changes in the cluster closes none of them, a drain waits for them.
import { once } from 'node:events'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { eventually, type Answer } from '../support/fetch-host.ts'
import { app, ingress } from '../support/manifests.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'

const HOST = 'chat.example.com'
const CLIENTS = 16

let sandbox: Sandbox
/** Over all threads. */
let sockets: WebSocket[]

const ask = (): Promise<Answer> => sandbox.ask(HOST)
const metrics = (): Promise<string> => sandbox.admin('/metrics')

async function open(): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${sandbox.ports['http']}/ws`, { headers: { host: HOST } })
  await once(socket, 'open')
  return socket
}

/** Each gets its own words back. */
async function allTalk(): Promise<void> {
  await Promise.all(
    sockets.map(async (socket, index) => {
      const answered = once(socket, 'message')
      socket.send(`words ${index}`)
      expect(String((await answered)[0])).toBe(`words ${index}`)
    }),
  )
}

beforeAll(async () => {
  sandbox = await startSandbox('--threads=2', '--drain-timeout=4s')
  await sandbox.apply(app('chat', { replicas: 2 }) + ingress('chat', { host: HOST }))
  await sandbox.rolledOut('chat')
  await eventually(ask, ({ status }) => status === 200)
  sockets = await Promise.all(Array.from({ length: CLIENTS }, open))
})
afterAll(async () => {
  for (const socket of sockets) socket.terminate()
  await sandbox.stop()
})

it('WebSockets go on while their endpoints leave, their Ingress is edited, and when it is gone', async () => {
  await allTalk()
  await eventually(metrics, (text) => text.includes(`\nnarthex_tunnels ${CLIENTS}\n`))
  // The pods live on, but are no endpoints any more.
  await sandbox.kube('patch service chat --type=merge -p {"spec":{"selector":{"app":"nobody"}}}')
  await eventually(ask, ({ status }) => status === 503)
  await allTalk()
  await sandbox.apply(ingress('chat', { host: HOST, path: '/other', annotations: 'narthex.ingress.kubernetes.io/scheduler: lc' }))
  await eventually(ask, ({ status }) => status === 404)
  await allTalk()
  await sandbox.kube('delete ingress,service chat')
  await allTalk()
})

it('a drain lets them talk until its time is over', async () => {
  const closed = Promise.all(sockets.map((socket) => once(socket, 'close')))
  const stopped = sandbox.stop()
  await eventually(() => ask().then(() => true, () => false), (accepts) => !accepts)
  await allTalk()
  await closed
  expect(await stopped).toBe(0)
})
