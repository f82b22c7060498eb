// Downgrade safety on the wire: HEADERS and DATA frames by hand, with everything in their fields that has split requests in other proxies.
// What the backend received is judged by llhttp: as many requests as were answered, one after the other, and nothing between them.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { encodeField } from '../../src/http/http2/hpack/encoder.ts'
import { judged, LAST } from '../support/llhttp-judge.ts'
import { mutated, randomFrom, type Random } from '../support/mutation.ts'
import { RawClient } from '../support/raw-client.ts'
import { ScriptedUpstream } from '../support/scripted-upstream.ts'
import { CLEARTEXT } from '../support/secure.ts'
import { routing, startProxy, type TestProxy } from '../support/test-proxy.ts'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 5000)
const AT_ONCE = 25
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'
const [DATA, HEADERS, END_STREAM, END_HEADERS] = [0, 1, 1, 4]

type Fields = readonly (readonly [name: string, value: string])[]

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
const GET: Fields = [[':method', 'GET'], [':scheme', 'http'], [':authority', 'a'], [':path', '/p']]
const POST: Fields = [[':method', 'POST'], ...GET.slice(1)]

/** Each has made two requests of one behind some proxy, or one that nobody had asked for. */
const CORPUS: readonly (readonly [name: string, fields: Fields, body: string])[] = [
  ['H2.CL', [...POST, ['content-length', '0']], SMUGGLED],
  ['H2.CL, shorter', [...POST, ['content-length', '5']], `x=1\r\n${SMUGGLED}`],
  ['H2.TE', [...POST, ['transfer-encoding', 'chunked']], `0\r\n\r\n${SMUGGLED}`],
  ['H2.TE, upper case', [...POST, ['Transfer-Encoding', 'chunked']], `0\r\n\r\n${SMUGGLED}`],
  ['H2.TE, underscore', [...POST, ['transfer_encoding', 'chunked']], `0\r\n\r\n${SMUGGLED}`],
  ['line end in a value', [...POST, ['x', 'y\r\nTransfer-Encoding: chunked']], `0\r\n\r\n${SMUGGLED}`],
  ['two line ends in a value', [...GET, ['x', `y\r\n\r\n${SMUGGLED}`]], ''],
  ['line feed in a value', [...POST, ['x', 'y\nTransfer-Encoding: chunked']], `0\r\n\r\n${SMUGGLED}`],
  ['carriage return in a value', [...GET, ['x', 'y\rX: z']], ''],
  ['line end in a name', [...GET, ['x: y\r\ntransfer-encoding', 'chunked']], ''],
  ['colon in a name', [...POST, ['transfer-encoding: chunked\r\nx', 'y']], `0\r\n\r\n${SMUGGLED}`],
  ['colon and space in a name', [...POST, ['transfer-encoding:', 'chunked']], `0\r\n\r\n${SMUGGLED}`],
  ['space behind a name', [...POST, ['transfer-encoding ', 'chunked']], `0\r\n\r\n${SMUGGLED}`],
  ['request line in the method', [[':method', `GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\nGET`], ...GET.slice(1)], ''],
  ['request line in the path', [...GET.slice(0, 3), [':path', `/ HTTP/1.1\r\nHost: a\r\n\r\n${SMUGGLED}`]], ''],
  ['space in the path', [...GET.slice(0, 3), [':path', '/ HTTP/1.1 /x']], ''],
  ['line end in the authority', [...GET.slice(0, 2), [':authority', 'a\r\nX: y'], [':path', '/']], ''],
  ['line end in the scheme', [[':method', 'GET'], [':scheme', 'http\r\nX: y'], ...GET.slice(2)], ''],
  ['two paths', [...GET, [':path', '/other']], ''],
  ['another Host', [...GET, ['host', 'b']], ''],
  ['connection', [...GET, ['connection', 'close, x'], ['x', '1']], ''],
  ['upgrade', [...GET, ['upgrade', 'h2c'], ['http2-settings', 'AAAA']], ''],
  ['te', [...GET, ['te', 'chunked']], ''],
  ['expect', [...POST, ['expect', '100-continue'], ['content-length', '0']], SMUGGLED],
  ['NUL', [...GET, ['x', 'a\0b']], ''],
  ['tunnel', [[':method', 'CONNECT'], [':protocol', 'websocket\r\nX: y'], ...GET.slice(1)], SMUGGLED],
  ['tunnel that is none', [[':method', 'CONNECT'], [':protocol', 'h2c'], ...GET.slice(1)], SMUGGLED],
]
const WELL_FORMED: typeof CORPUS = [
  ['GET', [...GET, ['x', 'y'], ['cookie', 'a=b'], ['cookie', 'c=d']], ''],
  ['POST', [...POST, ['x', 'y']], SMUGGLED],
  ['POST with a length', [...POST, ['x', 'y'], ['content-length', String(SMUGGLED.length)]], SMUGGLED],
]
/** Behind an Upgrade, llhttp in Node reads no further. */
const REQUESTS = CORPUS.filter(([, fields]) => fields.every(([name]) => name !== ':protocol'))
const PIECES = ['\r\n', '\n', '\r', ' ', '\t', ':', ',', '0', 'A', '\0', '\x7f', '\xff', '_', '#', '?', '/', '@', 'chunked', 'a\r\ntransfer-encoding: chunked', ' HTTP/1.1\r\nHost: b\r\n\r\n', SMUGGLED]

let upstream: ScriptedUpstream
let proxy: TestProxy

beforeAll(async () => {
  upstream = await ScriptedUpstream.start()
  proxy = await startProxy(routing([{ host: '*', backend: 'web' }], { web: [`127.0.0.1:${upstream.port}`] }), { http2: CLEARTEXT })
})

afterAll(async () => {
  proxy.proxy.close()
  await upstream.stop()
})

const frame = (type: number, flags: number, stream: number, payload: string): string =>
  String.fromCharCode(payload.length >> 16, (payload.length >> 8) & 255, payload.length & 255, type, flags, 0, 0, 0, stream) + payload

/** Sends one request on a connection of its own, and waits until its stream, or the connection, has ended. */
async function send(fields: Fields, body: string): Promise<void> {
  const client = await RawClient.connect(proxy.port)
  const block = fields.map(([name, value]) => encodeField(name, value)).join('')
  client.send(PREFACE + frame(HEADERS, body === '' ? END_STREAM | END_HEADERS : END_HEADERS, 1, block) + (body === '' ? '' : frame(DATA, END_STREAM, 1, body)))
  const leave = setTimeout(() => client.close(), 3000)
  await client.until(() => isOver(client.received)).catch(() => undefined)
  clearTimeout(leave)
  client.close()
}

/** A frame with END_STREAM on the stream, RST_STREAM or GOAWAY. */
function isOver(bytes: Buffer): boolean {
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    const [type, flags] = [bytes[at + 3] ?? 0, bytes[at + 4] ?? 0]
    if (type === 3 || type === 7 || ((type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0)) return true
  }
  return false
}

/** What the connections of the backend brought, read by llhttp. */
async function judge(): Promise<void> {
  const { connections } = proxy.proxy
  const open = (): number => upstream.connections.filter(({ ended }) => !ended).length
  while (connections().clients > 0 || connections().upstream > connections().idleUpstream || open() !== connections().idleUpstream) await new Promise((resolve) => setImmediate(resolve))
  for (const side of upstream.connections) {
    const expected = upstream.requests.filter(({ connection }) => connection === side).map(({ method, target, body }) => ({ method, target, body }))
    // One that was given up is cut short, and nothing came behind it.
    if (side.ended && expected.length === 0) continue
    const { found, fault } = await (side.ended ? judged(side.received, expected.length) : judged(side.received + LAST.text, expected.length + 1))
    expect({ found, fault }).toEqual({ found: side.ended ? expected : [...expected, LAST.framed], fault: undefined })
  }
}

it.each(CORPUS.map(([name, fields, body]) => ({ name, fields, body })))('makes nothing else of $name', async ({ fields, body }) => {
  const before = upstream.requests.length
  await send(fields, body)
  const made = upstream.requests.slice(before)
  expect(made.length).toBeLessThan(2)
  expect(made.every(({ target, field }) => target !== '/smuggled' && field('x') === undefined)).toBe(true)
  await judge()
})

it(`nor of ${RUNS} such requests bent at random`, { timeout: 60_000 + RUNS * 20 }, async () => {
  const random = randomFrom(11)
  for (let run = 0; run < RUNS; run += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, () => send(...bent(random))))
  await judge()
  expect(upstream.requests.length).toBeGreaterThan(RUNS / 10)
})

function bent(random: Random): [Fields, string] {
  const [, fields = GET, body = ''] = random(3) === 0 ? (REQUESTS[random(REQUESTS.length)] ?? []) : (WELL_FORMED[random(WELL_FORMED.length)] ?? [])
  // Not the method: llhttp has a list of them, and we forward any token.
  const at = 1 + random(fields.length - 1)
  const changed = fields.map(([name, value], index): [string, string] => {
    if (index !== at) return [name, value]
    return random(3) === 0 ? [mutated(random, [name], PIECES), value] : [name, mutated(random, [value], PIECES)]
  })
  return [random(4) === 0 ? [...POST, ...changed.slice(random(changed.length))] : changed, mutated(random, [body], PIECES)]
}
