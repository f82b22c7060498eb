// What a client can make the end of its connection cost.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Closing } from '../../src/proxy/closing.ts'

const opened: { destroy(): void }[] = []

afterEach(() => {
  for (const each of opened.splice(0)) each.destroy()
})

/** The server's side of a connection whose client reads nothing; 32 MiB are more than kernels take. */
async function unread(): Promise<Socket> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  opened.push({ destroy: () => server.close() })
  await once(server, 'listening')
  opened.push(connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }).pause())
  const [socket] = (await once(server, 'connection')) as [Socket]
  opened.push(socket)
  socket.write(Buffer.alloc(32 * 1024 * 1024))
  return socket
}

for (const lingers of [true, false]) {
  test(`a client that sends on and reads nothing leaves no listener for each of its pieces behind${lingers ? '' : ', though it announced its last request'}`, async () => {
    const socket = await unread()
    const closing = new Closing(socket, lingers, false, 1000)
    const before = socket.listenerCount('finish')
    for (let piece = 0; piece < 20; piece++) closing.received(64 * 1024)
    expect(socket.listenerCount('finish')).toBeLessThanOrEqual(before + 1)
    expect(socket.destroyed).toBe(false)
  })
}

test('a connection whose response the kernel has taken is closed at once, and the client reads all of it', async () => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  opened.push({ destroy: () => server.close() })
  await once(server, 'listening')
  const client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  opened.push(client)
  const [socket] = (await once(server, 'connection')) as [Socket]
  socket.write('the last response')
  const closing = new Closing(socket, false, false, 1000)
  expect(closing.patience).toBeGreaterThan(0)
  expect(socket.destroyed).toBe(true)
  let text = ''
  client.setEncoding('latin1').on('data', (part: string) => (text += part))
  await once(client, 'end')
  expect(text).toBe('the last response')
})
