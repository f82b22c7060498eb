// A server of HTTP/2 that answers 120 bytes and has nothing behind it: our codec, or node:http2. Cleartext, or TLS with `secure`.
import { createServer as createNode, createSecureServer, type ServerHttp2Stream } from 'node:http2'
import { createServer as createPlain, type Socket } from 'node:net'
import { createServer as createTls } from 'node:tls'
import { BODY, serve, wires } from '../../test/http2/answering-server.ts'
import { makePair } from '../../test/support/secure.ts'

const [codec, port, transport] = process.argv.slice(2)
const { certificate: cert, privateKey: key } = makePair('localhost')
const shared = wires()
const accept = (socket: Socket): void => void serve(socket, shared)

function answer(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'server': 'codec', 'content-type': 'text/plain', 'content-length': '120' })
  stream.end(BODY)
}

const secure = transport === 'secure'
if (codec === 'own') (secure ? createTls({ cert, key, ALPNProtocols: ['h2'] }, accept) : createPlain(accept)).listen(Number(port), '127.0.0.1')
else (secure ? createSecureServer({ cert, key }) : createNode()).on('stream', answer).listen(Number(port), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
