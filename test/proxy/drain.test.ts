// The end of a proxy: nothing new, idle connections closed, answers in flight delivered, the rest cut in time.
import { connect } from 'node:net'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { freshProxy, proxy, upstream } from '../support/fresh-proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { OK } from '../support/scripted-upstream.ts'
import { startProxy, toUpstream } from '../support/test-proxy.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

freshProxy()

it('closes idle connections and finishes at once without any in flight', async () => {
  const client = await RawClient.connect(proxy.port)
  client.send(GET)
  await client.response()
  const drained = proxy.proxy.drain(10_000)
  await client.finished()
  client.close()
  expect(await drained).toBe(0)
  expect(proxy.proxy.connections()).toMatchObject({ clients: 0, idleUpstream: 0 })
})

it('delivers the answer in flight with Connection: close and refuses new connections', async () => {
  let release: (() => void) | undefined
  upstream.script = { onRequest: ({ connection }) => (release = () => connection.socket.write(OK)) }
  const client = await RawClient.connect(proxy.port)
  client.send(GET)
  await upstream.until(() => release !== undefined)
  const drained = proxy.proxy.drain(10_000)
  const [refused] = await once(connect(proxy.port, '127.0.0.1'), 'error')
  expect((refused as NodeJS.ErrnoException).code).toBe('ECONNREFUSED')
  release?.()
  const response = await client.response()
  expect([response.body, response.field('connection')]).toEqual(['ok', 'close'])
  await client.finished()
  client.close()
  expect(await drained).toBe(0)
})

it('cuts what is left when time is over, and says how many', async () => {
  upstream.script = { onRequest: () => undefined }
  const client = await RawClient.connect(proxy.port)
  client.send(GET)
  await upstream.until(() => upstream.requests.length === 1)
  expect(await proxy.proxy.drain(100)).toBe(1)
  await client.finished()
  client.close()
})

it('rejects a listener on a port that is taken', async () => {
  await expect(proxy.proxy.listen({ port: proxy.port, address: '127.0.0.1', tls: false, reusePort: false })).rejects.toThrow('EADDRINUSE')
})

it('shares a port with another proxy', async () => {
  const first = await proxy.proxy.listen({ port: 0, address: '127.0.0.1', tls: false, reusePort: true })
  const other = await startProxy(toUpstream(upstream.port))
  expect(await other.proxy.listen({ port: first.port, address: '127.0.0.1', tls: false, reusePort: true })).toEqual(first)
  other.proxy.close()
})
