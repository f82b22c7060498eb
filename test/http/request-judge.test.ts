// An outside judge of what we forward: llhttp, in Node's own server, reads the bytes of every mutated request that we took, many on
// one connection. It must find the same requests with the same bodies; one byte framed otherwise, and all that follows is garbage.
// FUZZ_RUNS sets how many, FUZZ_SEED where they begin.
import { METHODS } from 'node:http'
import { expect, it } from 'vitest'
import { BodyReader } from '../../src/http/http1/body-reader.ts'
import { RequestHeadReader } from '../../src/http/http1/request-head-reader.ts'
import { parseRequestHead, RequestHead } from '../../src/http/http1/request-head.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { requestText } from '../../src/upstream/request-text.ts'
import { CORPUS, FURTHER } from '../proxy/malformed-request-corpus.ts'
import { judged, LAST, type Framed } from '../support/llhttp-judge.ts'
import { mutated, randomFrom } from '../support/mutation.ts'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1_000_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? 3)
const BATCH = 500

const P = 'POST /p HTTP/1.1\r\nHost: a\r\n'
const WELL_FORMED = [
  `${P}Content-Length: 5\r\n\r\nhello`,
  `${P}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `${P}Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n`,
  'GET /a%20b?c=d HTTP/1.1\r\nHost: a:80\r\nAccept: */*\r\nX-Empty:\r\nCookie: a=b\r\n\r\n',
  'GET http://b/g HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-A\r\nX-A: 1\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nContent-Length: 0\r\n\r\n',
  'PUT /x HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
]
const TEMPLATES = [...WELL_FORMED, ...WELL_FORMED, ...[...CORPUS, ...FURTHER].map(([, , bytes]) => bytes).filter((bytes) => bytes.length < 400)]
const PIECES = [
  '\r\n', '\n', '\r', ' ', '\t', ':', ',', ';', '"', '0', '5', 'f', '\0', '\x7f', '\x80', '\xff', '_', '-', '%', '#', '?', '/', '//', 'chunked', 'Host: a\r\n', 'Content-Length: 5\r\n',
  'Content-Length: 0\r\n', 'Transfer-Encoding: chunked\r\n', 'Connection: close\r\n', 'Expect: 100-continue\r\n', 'Upgrade: websocket\r\n', 'Connection: Upgrade\r\nUpgrade: a/1\r\n', '0\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
]

const reader = new RequestHeadReader(DEFAULT_SETTINGS.limits)
const body = new BodyReader()
const head = new RequestHead()

/** What we would forward of the first request in `bytes`, read in two parts; undefined: it is refused, or not whole. */
function forwarded(bytes: Buffer, cut: number): { readonly framed: Framed; readonly text: string; readonly upgrades: boolean } | undefined {
  let at = reader.read(bytes, 0, cut)
  if (reader.head === undefined && reader.fault === undefined && cut < bytes.length) at = reader.read(bytes, cut, bytes.length)
  const scan = reader.head
  reader.clear()
  if (scan === undefined || parseRequestHead(scan, head, DEFAULT_SETTINGS.limits) !== undefined) return undefined
  let data = ''
  let framing = ''
  const chunked = head.framing === 'chunked'
  const sink = {
    bodyData(buffer: Buffer, start: number, stop: number) {
      const part = buffer.toString('latin1', start, stop)
      data += part
      framing += chunked ? `${part.length.toString(16)}\r\n${part}\r\n` : part
    },
  }
  if (chunked) body.startChunked()
  else if (head.framing === 'length') body.startLength(head.contentLength)
  else body.startEmpty()
  if (!body.done) body.read(bytes, at, bytes.length, sink)
  if (!body.done || body.fault !== undefined) return undefined
  if (chunked) framing += `0\r\n${body.trailers}\r\n`
  return { framed: { method: head.method, target: head.target, body: data }, text: requestText(head, 'id', 'X-Real-IP: 192.0.2.1\r\n') + framing, upgrades: head.upgrade !== '' }
}

it(`llhttp reads what we forward as we framed it (${RUNS} mutated requests)`, { timeout: 60_000 + RUNS }, async () => {
  const random = randomFrom(SEED)
  let taken = 0
  let text = ''
  let expected: Framed[] = []
  for (let run = 1; run <= RUNS; run++) {
    const bytes = mutated(random, TEMPLATES, PIECES)
    const one = forwarded(Buffer.from(bytes, 'latin1'), random(bytes.length + 1))
    // llhttp has a list of methods; we forward any token.
    if (one !== undefined && METHODS.includes(one.framed.method)) {
      taken++
      text += one.text
      expected.push(one.framed)
    }
    // Behind a request to switch llhttp reads no other: we send none before its answer.
    const upgrades = one?.upgrades === true && expected.at(-1) === one.framed
    if (expected.length === BATCH || upgrades || (run === RUNS && expected.length > 0)) {
      // What the last request left over would be the beginning of this one.
      if (!upgrades) {
        text += LAST.text
        expected.push(LAST.framed)
      }
      expect(await judged(text, expected.length)).toEqual({ found: expected, fault: undefined })
      text = ''
      expected = []
    }
  }
  expect(taken).toBeGreaterThan(RUNS / 20)
})
