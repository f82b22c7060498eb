// Floods, bombs and peers that keep us waiting: each is ended with GOAWAY, while another connection to the same server is served.
import { connect } from 'node:http2'
import { once } from 'node:events'
import { afterAll, describe, expect, it } from 'vitest'
import { DEFAULT_HTTP2_SETTINGS } from '../../src/model/http2-settings.ts'
import { startAnswering } from './answering-server.ts'
import { judge } from './judge.ts'

/** On a busy machine. */
const PATIENT = { timeout: 15_000 }

const server = await startAnswering()
const impatient = await startAnswering({ ...DEFAULT_HTTP2_SETTINGS, settingsTimeout: 300, headTimeout: 300, stallTimeout: 300, pingInterval: 200, pingTimeout: 200 })
const lenient = await startAnswering({ ...DEFAULT_HTTP2_SETTINGS, abuse: { ...DEFAULT_HTTP2_SETTINGS.abuse, controlBurst: Infinity } })
afterAll(() => Promise.all([server.close(), impatient.close(), lenient.close()]))

const bystander = connect(`http://127.0.0.1:${server.port}`)
const bystands = { served: 0, stopped: false }
const serving = bystand()

async function bystand(): Promise<void> {
  if (bystands.stopped) return
  const stream = bystander.request({ ':path': '/' })
  stream.resume()
  await once(stream, 'close')
  if (stream.rstCode === 0) bystands.served++
  return bystand()
}

const heapBefore = process.memoryUsage().heapUsed
const verdicts = await judge('abuse', server.port)
const heapAfter = process.memoryUsage().heapUsed
const waits = await Promise.all([judge('impatient', impatient.port), judge('unread', lenient.port)])
bystands.stopped = true
await serving
bystander.destroy()

describe('a peer that goes too far', () => {
  it('is judged by these cases', () => {
    expect(verdicts.length).toBeGreaterThan(30)
  })

  for (const { name, problem } of [...verdicts, ...waits.flat()]) it(name, () => expect(problem).toBe(''))

  it('does not hinder others', () => {
    expect(bystands.served).toBeGreaterThan(10)
  })

  it('leaves nothing behind', async () => {
    expect(heapAfter - heapBefore).toBeLessThan(64 * 1024 * 1024)
    await expect.poll(() => server.connections.size, PATIENT).toBe(0)
  })
})
