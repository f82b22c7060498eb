// What a tunnel does to the side that is left.
import { expect, it } from 'vitest'
import { TimerWheel } from '../../src/base/timer-wheel.ts'
import { Tunnel, type TunnelEnd } from '../../src/http/tunnel.ts'
import { fakeClock } from '../support/fake-clock.ts'

class Side implements TunnelEnd {
  full = false
  unsent = 0
  readonly heard: string[] = []
  write(): void {}
  end(): void {
    this.heard.push('end')
  }
  close(): void {
    this.heard.push('close')
  }
  cut(): void {
    this.heard.push('cut')
  }
  pauseReading(): void {}
  resumeReading(): void {}
}

for (const moves of [true, false]) {
  it(`lets a client that is ${moves ? 'slow have all' : 'stuck have nothing'} that a backend said before it was gone`, async () => {
    const clock = fakeClock()
    const wheel = new TimerWheel(clock)
    const [client, upstream] = [new Side(), new Side()]
    let open = true
    const tunnel = new Tunnel(client, upstream, { wheel, idleTimeout: 60_000 }, () => (open = false))
    client.unsent = 10_000
    tunnel.upstreamEnded()
    tunnel.upstreamClosed()
    for (let second = 0; second < 15; second++) {
      await clock.advance(1000)
      if (moves && open) client.unsent = Math.max(0, client.unsent - 1000)
    }
    expect(open).toBe(false)
    expect([client.heard, client.unsent]).toEqual(moves ? [['end', 'close'], 0] : [['end', 'cut'], 10_000])
    wheel.stop()
  })
}
