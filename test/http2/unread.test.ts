// What came for a stream and was not read yet when both of its sides had said all.
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { Http2Connection } from '../../src/http/http2/connection.ts'
import { UNHEARD } from '../../src/http/http2/handlers.ts'
import { encodeStatus } from '../../src/http/http2/hpack/encoder.ts'
import type { Http2Stream } from '../../src/http/http2/stream.ts'
import { SocketWriter } from '../../src/http/socket-writer.ts'
import { DEFAULT_HTTP2_SETTINGS } from '../../src/model/http2-settings.ts'
import { endSocket, wires } from './answering-server.ts'
import { startAsking } from './asking-client.ts'

it('is still read by the server that was the first to have said all', async () => {
  const shared = wires()
  const heard: string[] = []
  const streams: Http2Stream[] = []
  const server = createServer((socket) => {
    const connection: Http2Connection = new Http2Connection('server', { settings: DEFAULT_HTTP2_SETTINGS, writer: new SocketWriter(socket, shared.buffers, shared.turn), wheel: shared.wheel }, {
      opened(stream) {
        streams.push(stream)
        stream.pauseReading()
        return {
          ...UNHEARD,
          data: (buffer, start, end) => heard.push(buffer.toString('latin1', start, end)),
          end: () => heard.push('end'),
        }
      },
      idle: () => undefined,
      streamsAvailable: () => undefined,
      goingAway: () => undefined,
      ended: (code) => endSocket(socket, code),
    })
    socket.on('data', (bytes: Buffer) => connection.received(bytes, 0, bytes.length))
    socket.on('error', () => undefined)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = await startAsking((server.address() as AddressInfo).port, undefined, shared)
  const asked = client.ask({ path: '/', body: Buffer.from('last words') })
  await expect.poll(() => streams[0]?.received, { timeout: 10_000 }).toBe(true)
  streams[0]?.sendHead(encodeStatus(200), true)
  expect((await asked)?.status).toBe(200)
  expect([streams[0]?.closed, heard]).toEqual([true, []])
  streams[0]?.resumeReading()
  expect(heard).toEqual(['last words', 'end'])
  client.socket.destroy()
  server.close()
  shared.wheel.stop()
})
