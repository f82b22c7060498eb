// curl as an outside judge of what a client sees.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startProxy, toUpstream, type TestProxy } from '../support/test-proxy.ts'

const run = promisify(execFile)

let origin: Server
let proxy: TestProxy

beforeAll(async () => {
  origin = createServer((incoming, outgoing) => {
    let size = 0
    incoming.on('data', (chunk: Buffer) => (size += chunk.length))
    incoming.on('end', () => {
      outgoing.setHeader('X-Body-Size', size)
      outgoing.setHeader('X-Connection-Port', incoming.socket.remotePort ?? 0)
      if (incoming.url === '/chunked') outgoing.write('first ')
      outgoing.end('done')
    })
  })
  origin.keepAliveTimeout = 60_000
  origin.listen(0, '127.0.0.1')
  await once(origin, 'listening')
  proxy = await startProxy(toUpstream((origin.address() as AddressInfo).port), { limits: { bodyBytes: 0 } })
})

afterAll(() => {
  proxy.proxy.close()
  origin.closeAllConnections()
  origin.close()
})

const url = (path: string): string => `http://127.0.0.1:${proxy.port}${path}`

async function curl(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run('curl', ['-sS', '-v', '-H', 'Host: a', '--max-time', '10', ...args])
}

it('keeps its connection alive over several requests', async () => {
  const { stdout, stderr } = await curl(url('/1'), url('/chunked'), url('/3'))
  expect(stdout).toBe('donefirst donedone')
  expect(stderr.match(/Connected to/g)?.length).toBe(1)
  expect(stderr.match(/Re-using existing connection/g)?.length).toBe(2)
})

it('uploads in chunks', async () => {
  const { stderr } = await curl('-H', 'Transfer-Encoding: chunked', '-d', 'x'.repeat(5000), url('/up'))
  expect(stderr).toContain('< X-Body-Size: 5000')
})

it('gets its 100 and uploads a file', async () => {
  const { stderr } = await curl('-H', 'Expect: 100-continue', '-T', process.execPath, url('/up'))
  expect(stderr).toContain('< HTTP/1.1 100 Continue')
  expect(stderr).toMatch(/< X-Body-Size: \d{7,}/)
})

it('asks with HEAD and with HTTP/1.0', async () => {
  expect((await curl('-I', url('/'))).stdout).toContain('HTTP/1.1 200 OK')
  expect((await curl('--http1.0', url('/chunked'))).stdout).toBe('first done')
})
