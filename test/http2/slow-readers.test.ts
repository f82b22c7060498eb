// A client that reads slowly is not one that does not answer: an owner may read nothing from it while it takes nothing.
import { connect } from 'node:net'
import { afterAll, expect, it } from 'vitest'
import { headersText, PREFACE, SETTINGS_ACK, settingsText, windowUpdateText } from '../../src/http/http2/frame-text.ts'
import { encodeField } from '../../src/http/http2/hpack/encoder.ts'
import { DEFAULT_HTTP2_SETTINGS } from '../../src/model/http2-settings.ts'
import { startAnswering } from './answering-server.ts'

const BYTES = 20_000_000
const server = await startAnswering({ ...DEFAULT_HTTP2_SETTINGS, settingsTimeout: 1000, stallTimeout: 1000 }, undefined, true)
afterAll(() => server.close())

it('gets all of a body that fills every buffer for longer than SETTINGS and windows may wait', async () => {
  const socket = connect(server.port, '127.0.0.1')
  const fields = [[':method', 'GET'], [':scheme', 'http'], [':authority', 'a'], [':path', `/large/${BYTES}`]] as const
  const block = fields.map(([name, value]) => encodeField(name, value)).join('')
  socket.write(PREFACE + settingsText([[4, 2 ** 31 - 1]]) + windowUpdateText(0, 2 ** 30) + headersText(block, 1, 1, 16_384), 'latin1')
  // Behind the response that it does not take yet.
  await expect.poll(() => [...server.connections].some((connection) => connection.outflow.writer.full), { timeout: 15_000 }).toBe(true)
  socket.write(SETTINGS_ACK, 'latin1')
  const wheel = server.wheel.now
  await expect.poll(() => server.wheel.now - wheel, { timeout: 15_000 }).toBeGreaterThan(2500)
  let size = 0
  socket.on('data', (part) => (size += part.length))
  await expect.poll(() => size, { timeout: 15_000 }).toBeGreaterThan(BYTES)
  expect(server.connections.size).toBe(1)
  socket.destroy()
})
