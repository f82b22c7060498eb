// curl and nghttp2's clients as outside judges of HTTP/2: over TLS by ALPN, and without by prior knowledge.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CLEARTEXT, makePair, testContexts } from '../support/secure.ts'
import { startProxy, toUpstream, type TestProxy } from '../support/test-proxy.ts'

const run = promisify(execFile)

let origin: Server
let plain: TestProxy
let secure: TestProxy

beforeAll(async () => {
  origin = createServer((incoming, outgoing) => {
    let size = 0
    incoming.on('data', (chunk: Buffer) => (size += chunk.length))
    incoming.on('end', () => {
      outgoing.setHeader('X-Body-Size', size)
      outgoing.setHeader('X-Seen', `${incoming.method} ${incoming.headers.host} ${String(incoming.headers['x-forwarded-proto'])} ${String(incoming.headers.cookie)}`)
      if (incoming.url === '/chunked') outgoing.write('first ')
      if (incoming.url === '/large') return outgoing.end(Buffer.alloc(3_000_000, 'abcdefg'))
      if (incoming.url === '/empty') outgoing.statusCode = 204
      return outgoing.end(incoming.url === '/empty' ? undefined : 'done')
    })
  })
  origin.keepAliveTimeout = 60_000
  origin.listen(0, '127.0.0.1')
  await once(origin, 'listening')
  const routes = toUpstream((origin.address() as AddressInfo).port)
  plain = await startProxy(routes, { http2: CLEARTEXT, limits: { bodyBytes: 0 } })
  secure = await startProxy(routes, { contexts: testContexts(makePair('a')), limits: { bodyBytes: 0 } })
})

afterAll(() => {
  plain.proxy.close()
  secure.proxy.close()
  origin.closeAllConnections()
  origin.close()
})

async function curl(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run('curl', ['-sS', '-v', '-k', '--max-time', '20', ...args], { maxBuffer: 10_000_000 })
}

const wires: readonly (readonly [string, () => TestProxy, string])[] = [
  ['--http2-prior-knowledge', () => plain, 'http'],
  ['--http2', () => secure, 'https'],
]

for (const [option, proxy, scheme] of wires) {
  const ask = (path: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    curl(option, '--connect-to', `a:80:127.0.0.1:${proxy().port}`, '--connect-to', `a:443:127.0.0.1:${proxy().port}`, ...args, ...path.split(' ').map((each) => `${scheme}://a${each}`))

  it(`${scheme}: serves a request of HTTP/2`, async () => {
    const { stdout, stderr } = await ask('/chunked')
    expect(stdout).toBe('first done')
    expect(stderr).toContain('< HTTP/2 200')
    expect((await proxy().recorded(({ path }) => path === '/chunked')).protocol).toBe('2')
  })

  it(`${scheme}: says the same to the backend as with HTTP/1.1`, async () => {
    expect((await ask('/', '-b', 'x=1; y=2')).stderr).toContain(`< x-seen: GET a ${scheme} x=1; y=2`)
  })

  it(`${scheme}: uploads with a length, and without`, async () => {
    expect((await ask('/up', '-H', 'Expect:', '-T', process.execPath)).stderr).toMatch(/< x-body-size: \d{8,}/)
    expect((await ask('/up', '-d', 'x'.repeat(5000))).stderr).toContain('< x-body-size: 5000')
  })

  it(`${scheme}: downloads what is larger than any window`, async () => {
    expect((await ask('/large')).stdout).toBe('abcdefg'.repeat(428_572).slice(0, 3_000_000))
  })

  it(`${scheme}: answers HEAD, and 204 without a body`, async () => {
    const head = await ask('/', '-I')
    expect(head.stdout).toContain('HTTP/2 200')
    expect((await ask('/empty')).stderr).toContain('HTTP/2 204')
  })

  it(`${scheme}: still speaks HTTP/1.1 on the same port`, async () => {
    expect((await ask('/', '--http1.1')).stderr).toContain('< HTTP/1.1 200 OK')
  })
}

it.each(['--http2', '--http2-prior-knowledge'])('%s: gets an answer that comes before the end of what it sends', async (option) => {
  const tls = option === '--http2'
  const small = await startProxy(toUpstream((origin.address() as AddressInfo).port), { http2: CLEARTEXT, ...(tls && { contexts: testContexts(makePair('a')) }) })
  for (let i = 0; i < 3; i++) {
    const { stdout, stderr } = await curl(option, '-H', 'Host: a', '--upload-file', process.execPath, `${tls ? 'https' : 'http'}://127.0.0.1:${small.port}/`)
    expect([stdout.includes('413 Content Too Large'), stderr.includes('< HTTP/2 413')]).toEqual([true, true])
  }
  small.proxy.close()
})

it('serves several requests on one connection', async () => {
  // Not with prior knowledge: curl 7.88 fails at its second request, whoever serves it.
  const { stdout, stderr } = await curl('--http2', '--connect-to', `a:443:127.0.0.1:${secure.port}`, 'https://a/1', 'https://a/chunked', 'https://a/3')
  expect(stdout).toBe('donefirst donedone')
  expect(stderr.match(/Connected to/g)?.length).toBe(1)
  expect(stderr.match(/< HTTP\/2 200/g)?.length).toBe(3)
})

it('does not upgrade from HTTP/1.1', async () => {
  const { stderr } = await curl('--http2', '--connect-to', `a:80:127.0.0.1:${plain.port}`, 'http://a/')
  expect(stderr).toContain('> Upgrade: h2c')
  expect(stderr).toContain('< HTTP/1.1 200 OK')
})

it('serves thousands of requests of h2load without a failure', async () => {
  const { stdout } = await run('h2load', ['-n', '6000', '-c', '6', '-m', '40', '-H', ':authority: a', `http://127.0.0.1:${plain.port}/`], { timeout: 60_000 })
  expect(stdout).toContain('6000 succeeded, 0 failed, 0 errored')
})

it('shows nghttp no fault', async () => {
  const { stdout } = await run('nghttp', ['-v', '-H', ':authority: a', `http://127.0.0.1:${plain.port}/chunked`, `http://127.0.0.1:${plain.port}/2`])
  expect(stdout.match(/:status: 200/g)?.length).toBe(2)
  expect(stdout).not.toMatch(/RST_STREAM|error_code=(?!NO_ERROR)/)
})

