// Upgrades: a tunnel after the backend's 101 and never before, then bytes both ways.
import { expect, it } from 'vitest'
import { client, freshClient, proxy, upstream } from '../support/fresh-proxy.ts'
import type { UpstreamRequest } from '../support/scripted-upstream.ts'

const UPGRADE = 'Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n'
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: y\r\n\r\n'
const upgradeTo = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${UPGRADE}\r\n`

function switchTo({ connection }: UpstreamRequest, more = ''): void {
  connection.raw = true
  connection.socket.write(SWITCH + more)
}

freshClient({}, { onHead: (request) => switchTo(request) })

async function openTunnel(): Promise<void> {
  client.send(upgradeTo('/ws'))
  const response = await client.response()
  expect([response.status, response.field('upgrade'), response.field('sec-websocket-accept')]).toEqual([101, 'websocket', 'y'])
  expect(proxy.proxy.connections().tunnels).toBe(1)
}

it('passes bytes both ways after 101, whatever they are', async () => {
  await openTunnel()
  const request = upstream.connections[0]
  expect(request?.received).toContain('Connection: Upgrade\r\nUpgrade: websocket\r\n')
  client.send('\x00\xff GET / HTTP/1.1\r\n\r\n')
  await upstream.until(() => request?.received.endsWith('\x00\xff GET / HTTP/1.1\r\n\r\n') === true)
  request?.socket.write(Buffer.from([0, 255, 13, 10]))
  await client.until(() => client.received.equals(Buffer.from([0, 255, 13, 10])))
})

it('keeps bytes that came with the 101', async () => {
  upstream.script = { onHead: (request) => switchTo(request, 'hello') }
  await openTunnel()
  await client.until(() => client.text() === 'hello')
})

it('S14 holds what a client sends before the 101 until then', async () => {
  let accept: (() => void) | undefined
  upstream.script = { onHead: (request) => (accept = () => switchTo(request)) }
  client.send(`${upgradeTo('/ws')}early`)
  await upstream.until(() => upstream.heads === 1)
  expect(upstream.connections[0]?.received).not.toContain('early')
  accept?.()
  await upstream.until(() => upstream.connections[0]?.received.endsWith('\r\n\r\nearly') === true)
})

it('S14 drops what a client sent before a refusal', async () => {
  let refuse: (() => void) | undefined
  upstream.script = {
    onRequest: ({ connection }) => (refuse = () => connection.socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')),
  }
  client.send(upgradeTo('/ws'))
  await upstream.until(() => upstream.heads === 1)
  client.send('GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n')
  await new Promise((resolve) => setTimeout(resolve, 50))
  refuse?.()
  expect((await client.response()).status).toBe(403)
  await client.finished()
  expect(upstream.requests.length).toBe(1)
})
