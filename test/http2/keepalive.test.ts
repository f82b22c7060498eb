// Keepalive PINGs: a peer that answers them at once, within one tick of our coarse clock, is alive; one that does not even take them is not.
import { expect, it } from 'vitest'
import { DEFAULT_HTTP2_SETTINGS } from '../../src/model/http2-settings.ts'
import { eventually } from '../support/fetch-host.ts'
import { startHttp2Backend } from '../support/http2-backend.ts'
import { startRawHttp2Backend } from '../support/raw-http2-backend.ts'
import { startAsking } from './asking-client.ts'

it('keeps a silent connection whose PINGs are answered', async () => {
  let pings = 0
  const { port, close } = await startHttp2Backend((stream) => void stream.session?.on('ping', () => pings++))
  const client = await startAsking(port, { ...DEFAULT_HTTP2_SETTINGS, pingInterval: 200, pingTimeout: 200 })
  try {
    void client.ask({ path: '/' })
    await eventually(async () => pings, (count) => count >= 4)
    expect(client.connection.usable).toBe(true)
  } finally {
    client.close()
    close()
  }
})

it('gives up a server that neither reads nor says anything, though the PING does not get out', async () => {
  const backend = await startRawHttp2Backend(({ socket }) => void socket.pause())
  const client = await startAsking(backend.port, { ...DEFAULT_HTTP2_SETTINGS, stallTimeout: 0, pingInterval: 300, pingTimeout: 300 })
  try {
    // The windows come first.
    await eventually(async () => client.connection.outflow.window, (window) => window > 65_535)
    const answer = client.ask({ path: '/', method: 'POST', body: Buffer.alloc(40_000_000) })
    expect(client.connection.outflow.writer.full).toBe(true)
    expect(await client.ended).toBe(0)
    expect((await answer)?.unprocessed).toBe(false)
  } finally {
    client.close()
    backend.close()
  }
})
