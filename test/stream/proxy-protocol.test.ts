// PROXY protocol of TCP services: read from clients (curl and python write it), sent to backends, refused where it is not one.
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { fakeClock } from '../support/fake-clock.ts'
import { dial, tcpBackend, until } from '../support/stream-peers.ts'
import { startStreams, streamConfig, type StreamSpec, type TestStreams, type TestStreamsOptions } from './support.ts'

const exec = promisify(execFile)
const open: { close(): void }[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

async function echo(): Promise<number> {
  const backend = await tcpBackend()
  open.push(backend)
  return backend.port
}

async function serve(spec: StreamSpec, options: TestStreamsOptions = {}): Promise<TestStreams> {
  const made = await startStreams(streamConfig({ tcp: spec }), options)
  open.push(made.streams)
  return made
}

async function say(port: number, ...parts: readonly (string | Buffer)[]): Promise<string> {
  const client = await dial(port)
  for (const part of parts) {
    client.socket.write(part)
    // Each in a segment of its own.
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  client.socket.end()
  return Promise.race([client.ended, client.closed])
}

describe('sent to the backend', () => {
  test('names the client and the port that it came to', async () => {
    const { port: at } = await serve({ proxyOut: true, endpoints: [await echo()] })
    const client = await dial(at('tcp'))
    const own = client.socket.localPort
    client.socket.end('hello')
    expect(await client.ended).toBe(`PROXY TCP4 127.0.0.1 127.0.0.1 ${own} ${at('tcp')}\r\nhello`)
  })

  test('names whom the client names, in version 1 whatever came in', async () => {
    const { port: at } = await serve({ proxyIn: true, proxyOut: true, endpoints: [await echo()] })
    expect(await say(at('tcp'), 'PROXY TCP4 192.0.2.7 198.51.100.1 1111 443\r\nhello')).toBe('PROXY TCP4 192.0.2.7 198.51.100.1 1111 443\r\nhello')
    const v2 = Buffer.concat([Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'), Buffer.from([0x21, 0x11, 0, 12, 192, 0, 2, 7, 198, 51, 100, 1, 4, 87, 1, 187])])
    expect(await say(at('tcp'), v2.subarray(0, 5), v2.subarray(5, 20), Buffer.concat([v2.subarray(20), Buffer.from('hel')]), 'lo')).toBe('PROXY TCP4 192.0.2.7 198.51.100.1 1111 443\r\nhello')
  })
})

describe('read from the client', () => {
  test('is taken off, in whatever pieces it comes', async () => {
    const { port: at } = await serve({ proxyIn: true, endpoints: [await echo()] })
    const line = 'PROXY TCP4 192.0.2.7 198.51.100.1 1111 443\r\n'
    expect(await say(at('tcp'), `${line}hello`)).toBe('hello')
    expect(await say(at('tcp'), ...line.slice(0, 8), line.slice(8), 'hello')).toBe('hello')
  })

  test('may come with all else that the client says, its end included', async () => {
    const { port: at } = await serve({ proxyIn: true, endpoints: [await echo()] })
    for (let i = 0; i < 50; i++) {
      const client = await dial(at('tcp'))
      client.socket.end('PROXY UNKNOWN\r\nall of it')
      expect(await client.ended).toBe('all of it')
    }
  })

  test('comes from curl --haproxy-protocol', async () => {
    const server = createServer((request, response) => response.end(`${request.url} from ${request.socket.remoteAddress}`))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    open.push({ close: () => server.closeAllConnections() }, server)
    const { port: at } = await serve({ proxyIn: true, endpoints: [(server.address() as AddressInfo).port] })
    const { stdout } = await exec('curl', ['-sS', '--max-time', '10', '--haproxy-protocol', `http://127.0.0.1:${at('tcp')}/path`])
    expect(stdout).toBe('/path from 127.0.0.1')
    await expect(exec('curl', ['-sS', '--max-time', '10', `http://127.0.0.1:${at('tcp')}/path`])).rejects.toThrow(/reset by peer/)
  })

  test('comes from python as version 2, and python reads version 1', async () => {
    const { port: at } = await serve({ proxyIn: true, proxyOut: true, endpoints: [await echo()] })
    const script = `
import socket, struct
s = socket.create_connection(('127.0.0.1', ${at('tcp')}))
s.sendall(b'\\x0d\\x0a\\x0d\\x0a\\x00\\x0d\\x0aQUIT\\x0a' + struct.pack('!BBH4s4sHH', 0x21, 0x11, 12, socket.inet_aton('203.0.113.9'), socket.inet_aton('10.0.0.1'), 5000, 25) + b'EHLO')
s.shutdown(socket.SHUT_WR)
print(s.makefile('rb').read())
`
    const { stdout } = await exec('python3', ['-c', script])
    expect(stdout.trim()).toBe(String.raw`b'PROXY TCP4 203.0.113.9 10.0.0.1 5000 25\r\nEHLO'`)
  })

  test('is insisted on: anything else is reset, unseen by the backend, and counted', async () => {
    const backend = await tcpBackend()
    open.push(backend)
    const { port: at, figures } = await serve({ proxyIn: true, endpoints: [backend.port] })
    for (const text of ['GET / HTTP/1.1\r\n\r\n', 'PROXY TCP4 1.2.3.4 5.6.7.8 1 99999\r\n', `PROXY ${'x'.repeat(200)}`]) {
      const client = await dial(at('tcp'))
      client.socket.write(text)
      expect(await client.closed).toBe('ECONNRESET')
    }
    expect(backend.connections).toHaveLength(0)
    expect(figures('tcp')).toMatchObject({ refused: 3, open: 0 })
  })

  test('has to come in time', async () => {
    const clock = fakeClock(0)
    const { port: at, figures } = await serve({ proxyIn: true, endpoints: [await echo()] }, { clock, headerTimeout: 3000 })
    const client = await dial(at('tcp'))
    client.socket.write('PROXY TCP4')
    await until(() => figures('tcp').open === 1)
    await clock.advance(2900)
    expect(figures('tcp').open).toBe(1)
    await clock.advance(600)
    expect(await client.closed).toBe('ECONNRESET')
    expect(figures('tcp')).toMatchObject({ refused: 1, open: 0 })
  })
})
