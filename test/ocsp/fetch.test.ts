// Responders that nobody should wait for, believe, or reach.
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { fetchResponse, type FetchOptions } from '../../src/ocsp/fetch.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/ocsp?a=b`
}

const OPEN: FetchOptions = { resolve: () => Promise.reject(new Error('not asked')), allowPrivate: true, timeout: 5000 }
const ask = (url: string, options: Partial<FetchOptions> = {}): Promise<string> =>
  fetchResponse(url, Buffer.from('question'), { ...OPEN, ...options }).then(
    (answer) => answer.toString(),
    (error: unknown) => (error instanceof Error ? `! ${error.message}` : '!'),
  )
const OCSP = { 'content-type': 'application/ocsp-response' }

test('posts the request and answers the body', async () => {
  let seen = ''
  const url = await serve((request, response) => {
    request.on('data', (part) => (seen += `${request.method} ${request.url} ${request.headers.host?.split(':')[0]} ${request.headers['content-type']} ${String(part)}`))
    request.on('end', () => response.writeHead(200, OCSP).end('answer'))
  })
  expect(await ask(url)).toBe('answer')
  expect(seen).toBe('POST /ocsp?a=b 127.0.0.1 application/ocsp-request question')
})

test('other statuses, redirects among them, other types, too much, too slow, and cut answers are refused', async () => {
  const other = await serve((_request, response) => response.writeHead(200, OCSP).end('elsewhere'))
  expect(await ask(await serve((_request, response) => response.writeHead(302, { location: other }).end()))).toBe('! the responder answered 302')
  expect(await ask(await serve((_request, response) => response.writeHead(500).end()))).toBe('! the responder answered 500')
  expect(await ask(await serve((_request, response) => response.end('<html>')))).toBe('! the responder answered something else than OCSP')
  expect(await ask(await serve((_request, response) => response.writeHead(200, OCSP).end(Buffer.alloc(70_000))))).toBe("! the responder's answer is larger than 64 KiB")
  expect(await ask(await serve(() => undefined), { timeout: 100 })).toBe('! the responder did not answer in time')
  expect(await ask(await serve((_request, response) => void response.writeHead(200, OCSP).write('x')), { timeout: 100 })).toBe('! the responder did not answer in time')
  const cut = await serve((_request, response) => {
    response.writeHead(200, { ...OCSP, 'content-length': 10 }).write('half')
    setImmediate(() => response.destroy())
  })
  expect(await ask(cut)).toMatch(/^! the responder (can not be reached|ended in the middle of its answer)$/)
})

test.each([
  'http://127.0.0.1/', 'http://127.1/', 'http://0x7f000001/', 'http://2130706433/', 'http://10.0.0.1/', 'http://172.16.3.4/', 'http://192.168.1.1/', 'http://169.254.169.254/latest', 'http://100.64.0.1/',
  'http://0.0.0.0/', 'http://[::1]/', 'http://[::]/', 'http://[fe80::1]/', 'http://[fd00::1]/', 'http://[::ffff:10.0.0.1]/', 'http://[::ffff:7f00:1]/', 'http://[64:ff9b::7f00:1]/', 'http://[2002:7f00:1::]/', 'http://224.0.0.1/',
])('%s is not asked unless that is allowed', async (url) => {
  expect(await ask(url, { allowPrivate: false })).toContain('private address')
})

test('a name is resolved, looked at, and connected to as it was resolved', async () => {
  const url = (await serve((request, response) => response.writeHead(200, OCSP).end(request.headers.host))).replace('127.0.0.1', 'ocsp.example.com')
  const at = (...addresses: string[]) => ({ resolve: () => Promise.resolve(addresses) })
  expect(await ask(url, at('127.0.0.1'))).toMatch(/^ocsp\.example\.com:\d+$/)
  expect(await ask(url, { ...at('127.0.0.1', '10.0.0.1'), allowPrivate: false })).toContain('private address')
  expect(await ask(url, at())).toBe('! the name of the responder has no address')
  expect(await ask(url)).toBe('! the name of the responder could not be resolved')
  expect(await ask(url, { resolve: () => new Promise(() => undefined), timeout: 50 })).toBe('! the responder did not answer in time')
  expect(await ask('https://ocsp.example.com/', at('127.0.0.1'))).toBe('! the responder is not asked by http')
})
