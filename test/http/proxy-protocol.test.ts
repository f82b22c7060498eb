// PROXY protocol headers: the examples of the specification, what is refused, and that any cut of any bytes is answered the same.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Proxied } from '../../src/http/proxy-protocol/header.ts'
import { LONGEST_PROXY_HEADER, parseProxyHeader } from '../../src/http/proxy-protocol/parse.ts'
import { proxyHeaderV1 } from '../../src/http/proxy-protocol/write.ts'

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n'
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

function v2(command: number, family: number, rest: Buffer): Buffer {
  const fixed = Buffer.alloc(16)
  fixed.write(SIGNATURE, 'latin1')
  fixed.writeUInt8(command, 12)
  fixed.writeUInt8(family, 13)
  fixed.writeUInt16BE(rest.length, 14)
  return Buffer.concat([fixed, rest])
}

const IPV4 = Buffer.from([192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 0x01, 0xbb])
const FOUR: Proxied = { source: { address: '192.0.2.1', port: 56_324 }, destination: { address: '198.51.100.2', port: 443 } }

describe('version 1', () => {
  test('names the client and where it connected to, and ends with its line', () => {
    const line = 'PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n'
    expect(parseProxyHeader(latin1(`${line}GET / HTTP/1.1\r\n`))).toEqual({ kind: 'complete', length: line.length, proxied: FOUR })
  })

  test('has IPv6 addresses', () => {
    expect(parseProxyHeader(latin1('PROXY TCP6 2001:db8::1 ::1 1 65535\r\n'))).toMatchObject({ proxied: { source: { address: '2001:db8::1', port: 1 }, destination: { address: '::1', port: 65_535 } } })
  })

  test('may say that it knows nothing', () => {
    for (const line of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n']) {
      expect(parseProxyHeader(latin1(line))).toEqual({ kind: 'complete', length: line.length, proxied: undefined })
    }
  })

  test.each([
    'PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 more\r\n',
    'PROXY TCP4  192.0.2.1 198.51.100.2 56324 443\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 056 443\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n',
    'PROXY TCP4 192.0.2.01 198.51.100.2 1 443\r\n',
    'PROXY TCP4 2001:db8::1 198.51.100.2 1 443\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 443\r\n',
    'PROXY TCP5 192.0.2.1 198.51.100.2 1 443\r\n',
    'PROXY  UNKNOWN\r\n',
    'proxy TCP4 192.0.2.1 198.51.100.2 1 443\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    `PROXY UNKNOWN ${'x'.repeat(100)}\r\n`,
    `PROXY TCP4 ${'1'.repeat(200)}`,
  ])('refuses %j', (line) => {
    expect(parseProxyHeader(latin1(line))).toEqual({ kind: 'invalid' })
  })
})

describe('version 2', () => {
  test('names the client, with extensions that are not read', () => {
    const header = v2(0x21, 0x11, Buffer.concat([IPV4, Buffer.from([0x03, 0, 4, 1, 2, 3, 4, 0x04, 0, 0])]))
    expect(parseProxyHeader(Buffer.concat([header, latin1('hello')]))).toEqual({ kind: 'complete', length: header.length, proxied: FOUR })
  })

  test('has IPv6 addresses', () => {
    const rest = Buffer.alloc(36)
    rest.writeUInt16BE(0x2001, 0)
    rest.writeUInt16BE(0xdb8, 2)
    rest.writeUInt8(1, 15)
    rest.writeUInt8(1, 31)
    rest.writeUInt16BE(80, 34)
    expect(parseProxyHeader(v2(0x21, 0x21, rest))).toMatchObject({ proxied: { source: { address: '2001:db8:0:0:0:0:0:1', port: 0 }, destination: { address: '0:0:0:0:0:0:0:1', port: 80 } } })
  })

  test('of a health check (LOCAL), or of a family without a name, leaves the addresses as they are', () => {
    for (const header of [v2(0x20, 0x00, Buffer.alloc(0)), v2(0x20, 0x11, IPV4), v2(0x21, 0x00, Buffer.alloc(9))]) {
      expect(parseProxyHeader(header)).toEqual({ kind: 'complete', length: header.length, proxied: undefined })
    }
  })

  test.each([
    ['another version', v2(0x31, 0x11, IPV4)],
    ['another command', v2(0x22, 0x11, IPV4)],
    ['datagrams', v2(0x21, 0x12, IPV4)],
    ['a UNIX socket', v2(0x21, 0x31, Buffer.alloc(216))],
    ['addresses that are cut short', v2(0x21, 0x11, IPV4.subarray(1))],
    ['an extension that is cut short', v2(0x21, 0x11, Buffer.concat([IPV4, Buffer.from([0x03, 0, 4, 1])]))],
    ['more than is kept', v2(0x21, 0x11, Buffer.alloc(4097))],
  ])('refuses %s', (_what, header) => {
    expect(parseProxyHeader(header)).toEqual({ kind: 'invalid' })
  })

  test('refuses a length that is too long before the rest has come', () => {
    expect(parseProxyHeader(v2(0x21, 0x11, Buffer.alloc(60_000)), 16)).toEqual({ kind: 'invalid' })
  })
})

const port = fc.integer({ min: 0, max: 65_535 })
const peers = (address: fc.Arbitrary<string>): fc.Arbitrary<Proxied> =>
  fc.record({ source: fc.record({ address, port }), destination: fc.record({ address, port }) })

test('what is written is read back', () => {
  fc.assert(
    fc.property(fc.oneof(peers(fc.ipV4()), peers(fc.ipV6().filter((text) => !text.includes('.')))), (proxied) => {
      const line = proxyHeaderV1(proxied)
      expect(line.length).toBeLessThanOrEqual(107)
      expect(parseProxyHeader(latin1(line))).toEqual({ kind: 'complete', length: line.length, proxied })
    }),
    { seed: 3, numRuns: 500 },
  )
})

test('addresses of two families, and none, are UNKNOWN; IPv4 in IPv6 is IPv4', () => {
  const mapped = { address: '::ffff:192.0.2.1', port: 1 }
  expect(proxyHeaderV1(undefined)).toBe('PROXY UNKNOWN\r\n')
  expect(proxyHeaderV1({ source: mapped, destination: { address: '::1', port: 2 } })).toBe('PROXY UNKNOWN\r\n')
  expect(proxyHeaderV1({ source: mapped, destination: { address: '127.0.0.1', port: 2 } })).toBe('PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n')
})

test('any bytes, cut anywhere, are never read past, never throw, and a verdict stays', () => {
  const valid = fc.constantFrom('PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n', 'PROXY UNKNOWN\r\n').map(latin1)
  const binary = fc.record({ command: fc.constantFrom(0x20, 0x21, 0x11), family: fc.constantFrom(0, 0x11, 0x21, 0x12, 0xff), rest: fc.uint8Array({ maxLength: 300 }) }).map(({ command, family, rest }) => v2(command, family, Buffer.from(rest)))
  const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
  const changed = fc.tuple(fc.oneof(valid, binary), fc.nat(60), fc.nat(255)).map(([bytes, at, value]) => {
    const copy = Buffer.from(bytes)
    if (at < copy.length) copy.writeUInt8(value, at)
    return copy
  })
  fc.assert(
    fc.property(fc.oneof(valid, binary, changed, noise), noise, (head, tail) => {
      const all = Buffer.concat([head, tail])
      let verdict: unknown
      for (let count = 0; count <= all.length; count++) {
        const read = parseProxyHeader(all, count)
        // The same answer however much follows, and whatever the rest of the memory holds.
        expect(parseProxyHeader(Buffer.from(all.subarray(0, count)))).toEqual(read)
        if (verdict !== undefined) expect(read).toEqual(verdict)
        else if (read.kind !== 'more') verdict = read
        if (read.kind === 'complete') expect(read.length).toBeLessThanOrEqual(Math.min(count, LONGEST_PROXY_HEADER))
      }
    }),
    { seed: 9, numRuns: 300 },
  )
})
