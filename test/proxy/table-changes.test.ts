// A change of the routing: the next request sees it, nothing in flight and no connection of a client does.
import { expect, it } from 'vitest'
import { client, freshClient, proxy, upstream } from '../support/fresh-proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { OK, ScriptedUpstream } from '../support/scripted-upstream.ts'
import { routing, toUpstream } from '../support/test-proxy.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

freshClient()

it('serves the next request of an open connection by the new table', async () => {
  client.send(GET)
  expect((await client.response()).status).toBe(200)
  proxy.route(routing([], {}))
  client.send(GET)
  expect((await client.response()).status).toBe(404)
  proxy.route(toUpstream(upstream.port))
  client.send(GET)
  expect((await client.response()).status).toBe(200)
})

it('finishes a request with the route that it started with', async () => {
  let release: (() => void) | undefined
  upstream.script = { onRequest: ({ connection }) => (release = () => connection.socket.write(OK)) }
  client.send(GET)
  await upstream.until(() => release !== undefined)
  proxy.route(routing([], {}))
  release?.()
  expect((await client.response()).body).toBe('ok')
})

it('sends what no host takes to the default backend', async () => {
  const config = { ...routing([], { fallback: [`127.0.0.1:${upstream.port}`] }), defaultBackend: 'fallback' }
  proxy.route(config)
  client.send('GET /any HTTP/1.1\r\nHost: whatever.example\r\n\r\n')
  expect((await client.response()).status).toBe(200)
  expect(await proxy.recorded(() => true)).toMatchObject({ backend: 'fallback', route: undefined, host: 'whatever.example', path: '/any' })
})

it('loses no request while endpoints come and go', async () => {
  const others = await Promise.all(Array.from({ length: 4 }, () => ScriptedUpstream.start()))
  const all = [upstream, ...others].map(({ port }) => `127.0.0.1:${port}`)
  const statuses = new Map<number, number>()
  const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(proxy.port)))
  await Promise.all(
    clients.map(async (each) => {
      for (let i = 0; i < 250; i++) {
        each.send(GET)
        const { status } = await each.response()
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        if (i % 10 === 0) proxy.route(routing([{ host: 'a', backend: 'web' }], { web: all.slice(0, 1 + ((i / 10) % 5)) }))
      }
      each.close()
    }),
  )
  expect([...statuses]).toEqual([[200, 1000]])
  await Promise.all(others.map((each) => each.stop()))
})

it('records what a request was', async () => {
  client.send('POST /p/q?r=s HTTP/1.1\r\nHost: A:80\r\nX-Request-ID: id1\r\nContent-Length: 5\r\n\r\nhello')
  const { size } = await client.response()
  expect(await proxy.recorded(() => true)).toMatchObject({
    method: 'POST',
    host: 'a',
    path: '/p/q',
    protocol: '1.1',
    tls: false,
    clientAddress: '127.0.0.1',
    requestId: 'id1',
    backend: 'web',
    endpoint: `127.0.0.1:${upstream.port}`,
    status: 200,
    failure: undefined,
    bytesOut: size,
    tries: 1,
  })
  expect(proxy.records[0]?.route?.object.name).toBe('web')
  expect(proxy.records[0]?.bytesIn).toBe('POST /p/q?r=s HTTP/1.1\r\nHost: A:80\r\nX-Request-ID: id1\r\nContent-Length: 5\r\n\r\nhello'.length)
})
