// Sessions of a client with bytes changed, cut, repeated and left out, in any segmentation: whatever becomes of them, nothing throws, nothing is
// left open, and others are served.
import { connect } from 'node:net'
import * as fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { frameHead, headersText, pingText, PREFACE, resetText, settingsText, windowUpdateText, ACK, DATA, SETTINGS_ACK } from '../../src/http/http2/frame-text.ts'
import { encodeField } from '../../src/http/http2/hpack/encoder.ts'
import { BODY, startAnswering } from './answering-server.ts'
import { startAsking } from './asking-client.ts'

/** On a busy machine. */
const PATIENT = { timeout: 15_000 }

const SESSIONS = 3000
const AT_ONCE = 50

const server = await startAnswering()
afterAll(() => server.close())

const request = (method: string, path: string): string =>
  [[':method', method], [':scheme', 'http'], [':authority', 'a'], [':path', path], ['x-a', 'b'], ['cookie', 'c=d']].map(([name, value]) => encodeField(name ?? '', value ?? '')).join('')
const data = (id: number, bytes: number, flags: number): string => frameHead(bytes, DATA, flags, id) + 'd'.repeat(bytes)

/** Each a frame or more, so that whole ones can be left out and repeated, too. */
const FRAMES = [
  settingsText([[4, 5000], [3, 100]]), SETTINGS_ACK, headersText(request('GET', '/'), 1, 1, 16_384), pingText('12345678', 0), pingText('12345678', ACK),
  headersText(request('POST', '/echo'), 0, 3, 16_384), data(3, 3000, 0), windowUpdateText(0, 10_000), windowUpdateText(3, 10_000), data(3, 20_000, 1),
  headersText(request('POST', '/trailers'), 0, 5, 20), data(5, 10, 0), headersText(encodeField('x-sum', '1'), 1, 5, 16_384),
  headersText(request('GET', '/large/100000'), 1, 7, 16_384), resetText(7, 8), headersText(request('POST', '/paused'), 0, 9, 16_384), data(9, 1000, 0), data(9, 0, 1),
  frameHead(5, 2, 0, 9) + '\0\0\0\0\x10', headersText(request('GET', '/early'), 1, 11, 16_384), frameHead(3, 77, 3, 3) + 'abc',
]

const change = fc.record({ at: fc.nat(), byte: fc.nat(255) })
const session = fc.record({
  frames: fc.array(fc.nat(FRAMES.length - 1), { maxLength: 6 }),
  dropped: fc.array(fc.nat(FRAMES.length - 1), { maxLength: 3 }),
  changes: fc.array(change, { maxLength: 4 }),
  cuts: fc.array(fc.nat(), { maxLength: 6 }),
  length: fc.option(fc.nat(), { freq: 4 }),
})

async function play(bytes: Buffer, cuts: readonly number[]): Promise<void> {
  const socket = connect(server.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.resume()
  const closed = new Promise((resolve) => socket.once('close', resolve))
  let start = 0
  for (const cut of [...cuts.map((each) => each % bytes.length).sort((a, b) => a - b), bytes.length]) {
    socket.write(bytes.subarray(start, cut))
    start = cut
    await new Promise(setImmediate)
  }
  socket.end()
  await closed
}

it('bears them', async () => {
  const samples = fc.sample(session, { seed: 9113, numRuns: SESSIONS }).map(({ frames, dropped, changes, cuts, length }) => {
    const order = [...FRAMES.keys()].filter((index) => !dropped.includes(index))
    for (const index of frames) order.splice(index % (order.length + 1), 0, index)
    const bytes = Buffer.from(PREFACE + order.map((index) => FRAMES[index]).join(''), 'latin1')
    // The preface stays: without it nothing else is read.
    for (const { at, byte } of changes) bytes[PREFACE.length + (at % (bytes.length - PREFACE.length))] = byte
    return { bytes: length === null ? bytes : bytes.subarray(0, PREFACE.length + 1 + (length % (bytes.length - PREFACE.length))), cuts }
  })
  const workers = Array.from({ length: AT_ONCE }, async (_, worker) => {
    for (let i = worker; i < samples.length; i += AT_ONCE) {
      const sample = samples[i]
      if (sample !== undefined) await play(sample.bytes, sample.cuts)
    }
  })
  await Promise.all(workers)
  await expect.poll(() => server.connections.size, PATIENT).toBe(0)
  const client = await startAsking(server.port)
  expect(await client.ask({ path: '/' })).toMatchObject({ status: 200, body: BODY })
  client.close()
}, 60_000)
