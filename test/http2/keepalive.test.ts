// Keepalive PINGs to a peer that answers them at once, within one tick of our coarse clock: it is alive, and its connection goes on.
import { expect, it } from 'vitest'
import { DEFAULT_HTTP2_SETTINGS } from '../../src/model/http2-settings.ts'
import { eventually } from '../support/fetch-host.ts'
import { startHttp2Backend } from '../support/http2-backend.ts'
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
