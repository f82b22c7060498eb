// Which HTTP/2 requests are malformed, which are refused with which status, and what the exchange sees of the others: RFC 9113 section 8.
import { describe, expect, it } from 'vitest'
import { RequestHead } from '../../src/http/http1/request-head.ts'
import { readRequestFields, readTrailerFields, type RequestFault } from '../../src/http/http2/request-head.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { fieldList, type Fields } from '../support/field-list.ts'

const GET: Fields = [[':method', 'GET'], [':scheme', 'https'], [':authority', 'a'], [':path', '/']]
const without = (name: string): Fields => GET.filter(([each]) => each !== name)
const withValue = (name: string, value: string): Fields => GET.map(([each, held]) => [each, each === name ? value : held])

function read(fields: Fields, endStream = true): { readonly fault: RequestFault | undefined; readonly head: RequestHead } {
  const head = new RequestHead()
  const list = fieldList(fields)
  return { fault: list.isWellFormed('request', false) ? readRequestFields(list, endStream, head, DEFAULT_SETTINGS.limits) : 'malformed', head }
}

describe('is malformed', () => {
  const cases: readonly (readonly [string, Fields, boolean?])[] = [
    ['an upper-case name', [...GET, ['X-A', '1']]],
    ['an empty name', [...GET, ['', '1']]],
    ['a space in a name', [...GET, ['x a', '1']]],
    ['a colon in a name', [...GET, ['x:a', '1']]],
    ['a line end in a name', [...GET, ['x\r\ny', '1']]],
    ['obs-text in a name', [...GET, ['x\x80', '1']]],
    ['CR in a value', [...GET, ['x-a', '1\r2']]],
    ['LF in a value', [...GET, ['x-a', '1\n2']]],
    ['NUL in a value', [...GET, ['x-a', '1\x002']]],
    ['another control character in a value', [...GET, ['x-a', '1\x1b2']]],
    ['a space before a value', [...GET, ['x-a', ' 1']]],
    ['a tab behind a value', [...GET, ['x-a', '1\t']]],
    ['a line end in a path', withValue(':path', '/ HTTP/1.1\r\nX: 1')],
    ['a line end in a method', withValue(':method', 'GET / HTTP/1.1\r\n')],
    ['a method that is no token', withValue(':method', 'GE T')],
    ['an unknown pseudo-header field', [...GET, [':status', '200']]],
    ['a pseudo-header field behind a field', [...without(':path'), ['x-a', '1'], [':path', '/']]],
    ['two methods', [...GET, [':method', 'GET']]],
    ['two paths', [...GET, [':path', '/']]],
    ['two schemes', [...GET, [':scheme', 'https']]],
    ['two authorities', [...GET, [':authority', 'a']]],
    ['no method', without(':method')],
    ['no scheme', without(':scheme')],
    ['no path', without(':path')],
    ['an empty path', withValue(':path', '')],
    ['connection', [...GET, ['connection', 'close']]],
    ['proxy-connection', [...GET, ['proxy-connection', 'keep-alive']]],
    ['keep-alive', [...GET, ['keep-alive', 'timeout=5']]],
    ['transfer-encoding', [...GET, ['transfer-encoding', 'chunked']], false],
    ['upgrade', [...GET, ['upgrade', 'h2c']]],
    ['te that is not trailers', [...GET, ['te', 'trailers, gzip']]],
    ['a Host that is not the authority', [...GET, ['host', 'b']]],
    ['two Hosts', [...GET, ['host', 'a'], ['host', 'a']]],
    ['an authority with userinfo', withValue(':authority', 'user@a')],
    ['two lengths', [...GET, ['content-length', '5'], ['content-length', '5']], false],
    ['a length that is no number', [...GET, ['content-length', '5, 5']], false],
    ['CONNECT with a path', [[':method', 'CONNECT'], [':authority', 'a:80'], [':path', '/']]],
    ['CONNECT without an authority', [[':method', 'CONNECT']]],
    [':protocol without CONNECT', [...GET, [':protocol', 'websocket']]],
    ['CONNECT with :protocol and no path', [[':method', 'CONNECT'], [':protocol', 'websocket'], [':authority', 'a'], [':scheme', 'https']]],
  ]
  for (const [name, fields, endStream] of cases) it(name, () => expect(read(fields, endStream).fault).toBe('malformed'))
})

describe('is refused', () => {
  const long = 'x'.repeat(9000)
  const cases: readonly (readonly [string, string, Fields, boolean?])[] = [
    ['a request without a host', 'bad-request', without(':authority')],
    ['an authority that is no host', 'bad-request', withValue(':authority', 'a..b')],
    ['a path that does not begin with a slash', 'bad-request', withValue(':path', 'x')],
    ['an absolute path', 'bad-request', withValue(':path', 'http://b/')],
    ['a space in a path', 'bad-request', withValue(':path', '/a b')],
    ['a fragment', 'bad-request', withValue(':path', '/a#b')],
    ['* of another method', 'bad-request', withValue(':path', '*')],
    ['another scheme', 'bad-request', withValue(':scheme', 'ftp')],
    ['CONNECT', 'method-not-allowed', [[':method', 'CONNECT'], [':authority', 'a:80']]],
    ['TRACE', 'method-not-allowed', withValue(':method', 'TRACE')],
    ['a long target', 'target-too-long', withValue(':path', `/${long}`)],
    ['large fields', 'head-too-large', [...GET, ...Array.from({ length: 5 }, (_, i): [string, string] => [`x-${i}`, long])]],
    ['many fields', 'head-too-large', [...GET, ...Array.from({ length: 101 }, (_, i): [string, string] => [`x-${i}`, '1'])]],
    ['an unknown expectation', 'expectation-failed', [...GET, ['expect', 'more']], false],
  ]
  for (const [name, fault, fields, endStream] of cases) it(`${name}: ${fault}`, () => expect(read(fields, endStream).fault).toBe(fault))
})

it('joins cookies, takes off what is the proxy\'s, and drops names with an underscore', () => {
  const { fault, head } = read([...GET, ['cookie', 'a=1'], ['x-a', ''], ['cookie', 'b=2'], ['x_b', '1'], ['x-forwarded-for', '192.0.2.1'], ['te', 'trailers'], ['x-request-id', 'id-1']])
  expect(fault).toBeUndefined()
  expect(head.fields).toBe('x-a:\r\ncookie: a=1; b=2\r\n')
  expect(read([...GET, ['cookie', ''], ['cookie', 'a=1'], ['cookie', '']]).head.fields).toBe('cookie: a=1\r\n')
  expect([head.forwardedFor, head.trailers, head.requestId]).toEqual(['192.0.2.1', true, 'id-1'])
})

it('counts a hundred cookies as one field', () => {
  expect(read([...GET, ...Array.from({ length: 200 }, (_, i): [string, string] => ['cookie', `c${i}=1`])]).fault).toBeUndefined()
})

it('takes the host from Host where there is no authority', () => {
  const { fault, head } = read([...without(':authority'), ['host', 'A.example:8443']])
  expect([fault, head.host, head.hostName]).toEqual([undefined, 'A.example:8443', 'a.example'])
})

it('knows how the body is framed', () => {
  expect(read(GET).head.framing).toBe('none')
  expect(read(GET, false).head.framing).toBe('chunked')
  const { head } = read([...GET, ['content-length', '5'], ['expect', '100-continue']], false)
  expect([head.framing, head.contentLength, head.expectContinue]).toEqual(['length', 5, true])
})

it('forwards trailers that may be forwarded', () => {
  expect(readTrailerFields(fieldList([['x-checksum', '1'], ['authorization', 'x'], ['x_y', '1']]))).toBe('x-checksum: 1\r\n')
  for (const name of ['content-length', 'host', 'trailer']) expect(readTrailerFields(fieldList([[name, '5']]))).toBeUndefined()
  for (const [name, value] of [[':path', '/'], ['X-A', '1'], ['x-a', '1\n'], ['transfer-encoding', 'chunked']] as const) {
    expect(fieldList([[name, value]]).isWellFormed('trailers', false)).toBe(false)
  }
})
