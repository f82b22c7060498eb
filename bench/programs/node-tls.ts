// node:tls as it is: shakes hands, answers every read with 200, knows nothing. What any proxy in Node pays for a handshake at least.
import { readFileSync } from 'node:fs'
import { createServer as createPlain, type Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { Work } from '../peer.ts'

const work = JSON.parse(process.argv[2] ?? '{}') as Work

function answer(socket: Socket): void {
  socket.on('error', () => undefined).on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
}

createPlain(answer).listen(work.httpPort, '127.0.0.1')
createServer({ key: readFileSync(work.privateKey), cert: readFileSync(work.certificate) }, answer).listen(work.tlsPort, '127.0.0.1')
