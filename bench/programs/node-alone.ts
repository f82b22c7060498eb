// Node's own servers as they are, with TLS and HTTP/2: they answer by themselves and do none of a proxy's work. What anything built on
// them pays at least.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createSecureServer, type ServerHttp2Stream } from 'node:http2'
import type { Work } from '../peer.ts'

const work = JSON.parse(process.argv[2] ?? '{}') as Work
const BODY = 'x'.repeat(120)

createServer((_request, response) => response.end(BODY)).listen(work.httpPort, '127.0.0.1')
const secure = createSecureServer({ key: readFileSync(work.privateKey), cert: readFileSync(work.certificate), allowHTTP1: true })
secure.on('stream', (stream: ServerHttp2Stream) => {
  stream.respond({ ':status': 200, 'content-type': 'text/plain', 'content-length': String(BODY.length) })
  stream.end(BODY)
})
secure.on('request', (request, response) => {
  if (request.httpVersionMajor === 1) response.end(BODY)
})
secure.listen(work.tlsPort, '127.0.0.1')
