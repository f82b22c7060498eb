// How many connections may be open: in all, and of one client.
import { once } from 'node:events'
import { connect } from 'node:net'
import { Worker } from 'node:worker_threads'
import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS, type Limits } from '../../src/model/settings.ts'
import { admissionCells, createAdmission, forgetThread } from '../../src/proxy/admission.ts'
import { RawClient } from '../support/raw-client.ts'
import { ScriptedUpstream } from '../support/scripted-upstream.ts'
import { startProxy, toUpstream, type SettingsOverrides, type TestProxy } from '../support/test-proxy.ts'

const limitsOf = (connections: number, connectionsPerClient = 0): Limits => ({ ...DEFAULT_SETTINGS.limits, connections, connectionsPerClient })
let next = 1
const seed = () => (next = Math.imul(next, 48_271) >>> 0)

function threadsOf(count: number, limits: Limits) {
  const cells = admissionCells(count, limits, seed)
  return { cells, threads: Array.from({ length: count }, (_, index) => createAdmission(cells, index, limits)) }
}

describe('counting', () => {
  it('admits as many as may be, whichever threads they come to, and again when some have left', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 10 }), fc.array(fc.tuple(fc.nat(3), fc.boolean()), { maxLength: 60 }), (count, most, steps) => {
        const { threads } = threadsOf(count, limitsOf(most))
        const open = threads.map(() => 0)
        const total = () => open.reduce((sum, each) => sum + each, 0)
        for (const [chosen, enters] of steps) {
          const index = chosen % count
          if (enters) {
            const admitted = threads[index]?.enter() ?? false
            expect(admitted).toBe(total() < most)
            if (admitted) open[index] = (open[index] ?? 0) + 1
          } else if ((open[index] ?? 0) > 0) {
            threads[index]?.leave()
            open[index] = (open[index] ?? 0) - 1
          }
        }
      }),
      { seed: 3 },
    )
  })

  it('counts every client on its own', () => {
    const client = fc.nat(40).map((n) => (n % 2 === 0 ? `192.0.2.${n}` : `2001:db8:0:${n}::1`))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(fc.tuple(fc.nat(2), client, fc.boolean()), { maxLength: 200 }), (most, steps) => {
        const { threads } = threadsOf(3, limitsOf(0, most))
        const open = new Map<string, number>()
        for (const [index, address, enters] of steps) {
          const held = open.get(address) ?? 0
          if (enters) {
            const admitted = threads[index]?.enterClient(address) ?? false
            expect([address, admitted]).toEqual([address, held < most])
            if (admitted) open.set(address, held + 1)
          } else if (held > 0) {
            threads[index]?.leaveClient(address)
            open.set(address, held - 1)
          }
        }
      }),
      { seed: 3 },
    )
  })

  it('takes a whole IPv6 /64 for one client', () => {
    const [admission] = threadsOf(1, limitsOf(0, 1)).threads
    expect(admission?.enterClient('2001:db8::1')).toBe(true)
    expect(admission?.enterClient('2001:db8::ffff:1')).toBe(false)
    expect(admission?.enterClient('2001:db8:0:1::1')).toBe(true)
  })

  it('hardly ever takes two clients for one, however many there are', () => {
    const [admission] = threadsOf(1, limitsOf(0, 1)).threads
    let refused = 0
    for (let i = 0; i < 16_384; i++) if (admission?.enterClient(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`) === false) refused++
    expect(refused).toBeLessThan(16_384 * 0.01)
  })

  it('forgets what a thread held that is gone', () => {
    const { cells, threads } = threadsOf(2, limitsOf(2, 1))
    threads[0]?.enter()
    threads[1]?.enter()
    threads[0]?.enterClient('192.0.2.1')
    forgetThread(cells, 0)
    expect([threads[1]?.enter(), threads[1]?.enter(), threads[1]?.enterClient('192.0.2.1')]).toEqual([true, false, true])
  })

  it('never admits more than may be while threads come and go at the same time', async () => {
    const limits = limitsOf(10)
    const { cells } = threadsOf(3, limits)
    const held = new SharedArrayBuffer(8)
    const source = `
      import { workerData } from 'node:worker_threads'
      const { createAdmission } = await import(workerData.module)
      const admission = createAdmission(workerData.cells, workerData.index, workerData.limits)
      const held = new Int32Array(workerData.held)
      for (let i = 0; i < 20000; i++) {
        if (!admission.enter()) continue
        const now = Atomics.add(held, 0, 1) + 1
        for (let most = Atomics.load(held, 1); now > most && Atomics.compareExchange(held, 1, most, now) !== most; most = Atomics.load(held, 1));
        if (i % 3 === 0) admission.enter() && admission.leave()
        Atomics.sub(held, 0, 1)
        admission.leave()
      }`
    const module = new URL('../../src/proxy/admission.ts', import.meta.url).href
    const workers = [0, 1, 2].map((index) => new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData: { module, cells, index, limits, held } }))
    await Promise.all(workers.map((worker) => once(worker, 'exit')))
    expect(new Int32Array(held)[1]).toBeGreaterThan(0)
    expect(new Int32Array(held)[1]).toBeLessThanOrEqual(10)
    const [after] = [createAdmission(cells, 0, limits)]
    expect(Array.from({ length: 11 }, () => after.enter())).toEqual([...Array.from({ length: 10 }, () => true), false])
  })
})

describe('a limit of connections per client', () => {
  const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  let upstream: ScriptedUpstream
  let proxy: TestProxy
  const clients: RawClient[] = []

  async function start(settings: SettingsOverrides): Promise<void> {
    upstream = await ScriptedUpstream.start()
    proxy = await startProxy(toUpstream(upstream.port), settings)
  }

  async function from(localAddress: string): Promise<RawClient> {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', localAddress, allowHalfOpen: true })
    await once(socket, 'connect')
    const client = new RawClient(socket)
    clients.push(client)
    return client
  }

  async function served(client: RawClient, fields = ''): Promise<boolean> {
    client.send(`${GET.slice(0, -2)}${fields}\r\n`)
    try {
      return (await client.response()).status === 200
    } catch {
      return false
    }
  }

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close()
    proxy.proxy.close()
    await upstream.stop()
  })

  it('closes what is beyond it and takes the next when one has left', async () => {
    await start({ limits: { connectionsPerClient: 2 } })
    const all = [await from('127.0.0.1'), await from('127.0.0.1'), await from('127.0.0.1')]
    expect(await Promise.all(all.map((client) => served(client)))).toEqual([true, true, false])
    expect(await served(await from('127.0.0.2'))).toBe(true)
    expect(proxy.refused()).toBe(1)
    all[0]?.socket.end()
    await all[0]?.finished()
    // The proxy's side closes a moment after ours saw its end.
    while (proxy.proxy.connections().clients > 2) await new Promise((resolve) => setImmediate(resolve))
    expect(await served(await from('127.0.0.1'))).toBe(true)
  })

  it('does not count the clients of a trusted proxy as one', async () => {
    await start({ limits: { connectionsPerClient: 1 }, client: { ...DEFAULT_SETTINGS.client, trustedProxies: ['127.0.0.1'] } })
    const all = [await from('127.0.0.1'), await from('127.0.0.1'), await from('127.0.0.2'), await from('127.0.0.2')]
    expect(await Promise.all(all.map((client) => served(client)))).toEqual([true, true, true, false])
  })

  it('counts those whom PROXY protocol headers name', async () => {
    const proxyProtocol = { senders: ['127.0.0.1'], headerTimeout: 5000 }
    await start({ limits: { connectionsPerClient: 1 }, client: { ...DEFAULT_SETTINGS.client, proxyProtocol } })
    const results: boolean[] = []
    for (const address of ['198.51.100.1', '198.51.100.2', '198.51.100.1', '198.51.100.3']) {
      const client = await from('127.0.0.1')
      client.send(`PROXY TCP4 ${address} 192.0.2.1 4711 80\r\n`)
      results.push(await served(client))
    }
    expect(results).toEqual([true, true, false, true])
  })
})
