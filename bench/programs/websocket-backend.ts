// node bench/programs/websocket-backend.ts PORT…: accepts WebSocket connections and answers each message of the benchmark with one of
// the same length; GET is answered with 200. It reads no frames, only counts bytes: what it costs is not what is measured.
import { createServer, type Socket } from 'node:net'
import { createHash } from 'node:crypto'
import { MASKED_FRAME, REPLY_FRAME } from '../websocket-frames.ts'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

function accept(socket: Socket): void {
  let head = ''
  let pending = 0
  socket.setNoDelay(true).on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    if (pending === 0 && head !== 'done') {
      head += chunk.toString('latin1')
      if (!head.endsWith('\r\n\r\n')) return
      const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1]
      if (key === undefined) {
        head = ''
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
        return
      }
      head = 'done'
      const answer = createHash('sha1').update(key + GUID).digest('base64')
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${answer}\r\n\r\n`)
      return
    }
    pending += chunk.length
    for (; pending >= MASKED_FRAME.length; pending -= MASKED_FRAME.length) socket.write(REPLY_FRAME)
  })
}

for (const port of process.argv.slice(2)) createServer(accept).listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })
