// What a TLS socket reads reaches its reader as from any stream: in order, whole, and not while it is paused.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { readDirectly } from '../../src/proxy/direct-read.ts'
import { makePair } from '../support/secure.ts'

const opened: { destroy(): void }[] = []

afterEach(() => {
  for (const each of opened.splice(0)) each.destroy()
})

async function pair(): Promise<{ readonly client: TLSSocket; readonly socket: TLSSocket }> {
  const { certificate, privateKey } = makePair('a')
  const server = createServer({ cert: certificate, key: privateKey, allowHalfOpen: true }).listen(0, '127.0.0.1')
  opened.push({ destroy: () => server.close() })
  await once(server, 'listening')
  const client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, rejectUnauthorized: false })
  opened.push(client)
  const [socket] = (await once(server, 'secureConnection')) as [TLSSocket]
  opened.push(socket)
  return { client, socket }
}

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

test('a reader that pauses now and then gets every byte in order, and the end behind the last one', async () => {
  const { client, socket } = await pair()
  const sent = randomBytes(8 * 1024 * 1024)
  const hash = createHash('sha256')
  let count = 0
  let pauses = 0
  let late = false
  readDirectly(socket, {
    received(buffer, size) {
      late ||= socket.isPaused()
      hash.update(buffer.subarray(0, size))
      const before = count
      count += size
      if (before >> 18 === count >> 18) return true
      pauses++
      socket.pause()
      // Now and then at once, and now and then after all that is on the way has come.
      if (pauses % 3 === 0) socket.resume()
      else setTimeout(() => socket.resume(), pauses % 3)
      return true
    },
  })
  client.end(sent)
  await once(socket, 'end')
  expect(pauses).toBeGreaterThan(20)
  expect({ count, hash: hash.digest('hex'), late }).toEqual({ count: sent.length, hash: hashOf(sent), late: false })
})

test('a reader that has paused leaves the rest to the client', async () => {
  const { client, socket } = await pair()
  let count = 0
  readDirectly(socket, {
    received(_buffer, size) {
      count += size
      socket.pause()
      return true
    },
  })
  client.write(Buffer.alloc(32 * 1024 * 1024))
  while (socket.readableLength < socket.readableHighWaterMark) await new Promise((resolve) => setImmediate(resolve))
  const before = count
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(count).toBe(before)
  expect(socket.readableLength).toBeLessThan(2 * 1024 * 1024)
  expect(client.writableLength).toBeGreaterThan(0)
})
