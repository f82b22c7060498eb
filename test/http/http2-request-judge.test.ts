// Downgrade safety: whatever a client puts into the fields of an HTTP/2 request, the HTTP/1.1 request that we make of it is read by llhttp
// as one request, with the method, target and body that we meant. FUZZ_RUNS sets how many, FUZZ_SEED where they begin.
import { METHODS } from 'node:http'
import { expect, it } from 'vitest'
import { readRequestFields, readTrailerFields } from '../../src/http/http2/request-head.ts'
import { RequestHead } from '../../src/http/http1/request-head.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { requestText } from '../../src/upstream/request-text.ts'
import { fieldList, type Fields } from '../support/field-list.ts'
import { judged, LAST, type Framed } from '../support/llhttp-judge.ts'
import { mutated, randomFrom, type Random } from '../support/mutation.ts'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 200_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? 5)
const BATCH = 500

const PSEUDO: Fields = [[':method', 'POST'], [':scheme', 'https'], [':authority', 'a'], [':path', '/p']]
const TEMPLATES: readonly Fields[] = [
  PSEUDO,
  [...PSEUDO, ['content-length', '5']],
  [...PSEUDO, ['te', 'trailers'], ['x-a', '1'], ['accept', '*/*']],
  [...PSEUDO, ['cookie', 'a=b'], ['cookie', 'c=d'], ['user-agent', 'x y']],
  [...PSEUDO, ['expect', '100-continue'], ['x-request-id', 'abc']],
  [[':method', 'OPTIONS'], [':scheme', 'http'], [':authority', 'a:80'], [':path', '*'], ['host', 'a:80']],
]
const EXTRA: Fields = [
  ['transfer-encoding', 'chunked'], ['connection', 'close'], ['content-length', '0'], ['content-length', '5'], ['upgrade', 'websocket'], ['host', 'b'],
  [':path', '/q'], [':authority', 'b'], ['te', 'gzip'], ['Content-Length', '5'], ['x-forwarded-for', '192.0.2.9'], ['transfer_encoding', 'chunked'], ['http2-settings', 'AAAA'],
]
const PIECES = ['\r\n', '\n', '\r', ' ', '\t', ':', ',', ';', '"', '0', '5', 'A', '\0', '\x7f', '\x80', '\xff', '_', '-', '%', '#', '?', '/', '@', 'chunked', 'a\r\ntransfer-encoding: chunked', ' HTTP/1.1\r\nHost: b\r\n\r\n', '0\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n']

function bent(random: Random): Fields {
  const fields = [...(TEMPLATES[random(TEMPLATES.length)] ?? [])]
  const extra = EXTRA[random(EXTRA.length)]
  if (random(4) === 0 && extra !== undefined) fields.splice(random(fields.length + 1), 0, extra)
  const at = random(fields.length)
  return fields.map(([name, value], index) => {
    if (index !== at) return [name, value]
    return random(3) === 0 ? [mutated(random, [name], PIECES), value] : [name, mutated(random, [value], PIECES)]
  })
}

const head = new RequestHead()

function forwarded(random: Random): { readonly framed: Framed; readonly text: string } | undefined {
  const list = fieldList(bent(random))
  // A length without a body is refused where the body is counted.
  const endStream = list.contentLength <= 0 && random(3) === 0
  if (!list.isWellFormed('request', false) || readRequestFields(list, endStream, head, DEFAULT_SETTINGS.limits) !== undefined) return undefined
  const body = endStream ? '' : head.framing === 'length' ? 'x'.repeat(head.contentLength) : 'hello'
  let framing = body
  if (head.framing === 'chunked') {
    const trailers = fieldList([[mutated(random, ['x-checksum'], PIECES), mutated(random, ['abc'], PIECES)]])
    framing = `5\r\nhello\r\n0\r\n${trailers.isWellFormed('trailers', false) ? (readTrailerFields(trailers) ?? '') : ''}\r\n`
  }
  return body.length > 100 ? undefined : { framed: { method: head.method, target: head.target, body }, text: requestText(head, 'id', 'X-Real-IP: 192.0.2.1\r\n') + framing }
}

it(`llhttp reads what we make of HTTP/2 as we meant it (${RUNS} mutated requests)`, { timeout: 60_000 + RUNS }, async () => {
  const random = randomFrom(SEED)
  let taken = 0
  let text = ''
  let expected: Framed[] = []
  for (let run = 1; run <= RUNS; run++) {
    const one = forwarded(random)
    // llhttp has a list of methods; we forward any token.
    if (one !== undefined && METHODS.includes(one.framed.method)) {
      taken++
      text += one.text
      expected.push(one.framed)
    }
    if (expected.length === BATCH || (run === RUNS && expected.length > 0)) {
      expect(await judged(text + LAST.text, expected.length + 1)).toEqual({ found: [...expected, LAST.framed], fault: undefined })
      text = ''
      expected = []
    }
  }
  expect(taken).toBeGreaterThan(RUNS / 5)
})
