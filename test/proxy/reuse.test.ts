// A backend connection that goes back to its pool is ready for the next request, whatever the last client did.
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { freshProxy, proxy, upstream } from '../support/fresh-proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { OK } from '../support/scripted-upstream.ts'
import { routing, settingsWith, toUpstream } from '../support/test-proxy.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

freshProxy()

it('reads on after a response whose last bytes filled a slow client', async () => {
  // In pieces of the read buffer's size, so that the last one alone fills the client's budget.
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 8388564\r\n\r\n'
  const response = Buffer.concat([Buffer.from(head), Buffer.alloc(8_388_564)])
  expect(response.length % 65_536).toBe(0)
  upstream.script = { onRequest: ({ connection, target }) => connection.socket.write(target === '/large' ? response : OK) }
  const slow = connect({ port: proxy.port, host: '127.0.0.1' })
  slow.pause()
  const taken = new Promise<void>((resolve) => {
    let received = 0
    slow.on('data', (chunk) => {
      received += chunk.length
      if (received >= response.length) resolve()
      slow.pause()
      setImmediate(() => slow.resume())
    })
  })
  slow.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n')
  await upstream.until(() => upstream.requests.length === 1)
  slow.resume()
  await taken
  const quick = await RawClient.connect(proxy.port)
  quick.send(GET)
  expect((await quick.response()).body).toBe('ok')
  expect(upstream.connections.length).toBe(1)
  slow.destroy()
  quick.close()
})

it('uses a connection again after an empty body that had a length', async () => {
  const client = await RawClient.connect(proxy.port)
  for (const method of ['POST', 'GET', 'PUT']) {
    client.send(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`)
    expect((await client.response()).status).toBe(200)
  }
  expect(upstream.connections.length).toBe(1)
  client.close()
})

it('gives a connection so many requests as it may have, and a limit that changes holds for those that are open', async () => {
  const pool = (requestsPerConnection: number, connectionAge = 0): void => proxy.proxy.configure(settingsWith({ pool: { requestsPerConnection, connectionAge } }))
  const client = await RawClient.connect(proxy.port)
  const ask = async (count: number): Promise<number> => {
    for (let i = 0; i < count; i++) {
      client.send(GET)
      expect((await client.response()).status).toBe(200)
    }
    return upstream.connections.length
  }
  expect(await ask(5)).toBe(1)
  pool(3)
  expect(await ask(1)).toBe(1)
  expect(await ask(6)).toBe(3)
  pool(0, 1)
  expect(await ask(1)).toBe(4)
  // Until the wheel has turned: then it is older than a millisecond.
  await expect.poll(() => ask(1)).toBeGreaterThan(4)
  client.close()
})

it('answers 502 for an endpoint that nobody can connect to, and lives', async () => {
  for (const endpoint of ['127.0.0.1:0', '127.0.0.1:70000', ':80', '127.0.0.1:1.5', '127.0.0.1:x']) {
    proxy.route(routing([{ host: 'a', backend: 'web' }], { web: [endpoint] }))
    const client = await RawClient.connect(proxy.port)
    client.send(GET)
    expect([endpoint, (await client.response()).status]).toEqual([endpoint, 502])
    client.close()
  }
  proxy.route(toUpstream(upstream.port))
  upstream.script = { onRequest: ({ connection }) => connection.socket.write(OK) }
  const client = await RawClient.connect(proxy.port)
  client.send(GET)
  expect((await client.response()).status).toBe(200)
  client.close()
})
