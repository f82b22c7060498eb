// The life of the threads, with scripted ones in place of the proxy. Real sockets, real threads.
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import type { Log } from '../../src/base/log.ts'
import { DEFAULT_SETTINGS, type ProxySettings } from '../../src/model/settings.ts'
import { startDataPlane, type DataPlane, type DataPlaneOptions } from '../../src/runtime/data-plane.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { configOf } from './configs.ts'

const planes: DataPlane[] = []
const lines: string[] = []
const log: Log = (level, message, facts) => lines.push(`${level} ${message} ${JSON.stringify(facts)}`)

afterEach(async () => {
  await Promise.all(planes.splice(0).map((plane) => plane.close()))
  lines.length = 0
})

async function start(options: Partial<DataPlaneOptions> = {}): Promise<DataPlane> {
  const plane = await startDataPlane({
    settings: () => DEFAULT_SETTINGS,
    listeners: [{ port: 0, address: '127.0.0.1', tls: false }],
    threads: 2,
    defaultCertificate: { certificate: '', privateKey: '' },
    log,
    entry: new URL('scripted-thread.ts', import.meta.url),
    ...options,
  })
  planes.push(plane)
  return plane
}

interface State {
  readonly version: number
  readonly hosts: readonly string[]
  readonly whole: number
}

async function get(plane: DataPlane, path = '/', host = ''): Promise<State> {
  const sent = request({ port: plane.ports[0], host: '127.0.0.1', path, headers: host === '' ? {} : { host }, agent: new Agent() }).end()
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return JSON.parse(text)
}

/** Enough connections that each of two threads gets some: the kernel spreads them by hash. */
async function many<T>(call: () => Promise<T>, count = 40): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, call))
}

/** The thread that died has been replaced by one that serves. */
async function replaced(plane: DataPlane, threads: number): Promise<void> {
  for (;;) {
    const stats = await plane.stats()
    if (stats.restarts === 1 && stats.threads === threads) return
    await sleep(5)
  }
}

test('nothing listens before the first table; then every thread serves it', async () => {
  const plane = await start()
  await expect(get(plane)).rejects.toThrow()
  await plane.apply(configOf({ a: [1] }))
  for (const state of await many(() => get(plane))) expect(state).toMatchObject({ version: 1, hosts: ['a'] })
  expect(await plane.stats()).toMatchObject({ threads: 2, restarts: 0, version: 1 })
})

test('when apply resolves all threads serve that version, and only what changed went down', async () => {
  const plane = await start()
  const first = configOf({ a: [1], b: [1] })
  await plane.apply(first)
  await plane.apply({ ...first, hosts: new Map([...first.hosts].slice(0, 1)) })
  for (const state of await many(() => get(plane))) expect(state).toMatchObject({ version: 2, hosts: ['a'], whole: 2 })
  await plane.apply({ ...first, hosts: new Map([...first.hosts].slice(0, 1)) })
  expect(await plane.stats()).toMatchObject({ version: 2 })
})

test('applies in flight together end in the last one', async () => {
  const plane = await start()
  await Promise.all([plane.apply(configOf({ a: [1] })), plane.apply(configOf({ b: [1] })), plane.apply(configOf({ c: [1] }))])
  for (const state of await many(() => get(plane))) expect(state.hosts).toEqual(['c'])
})

test('threads share one sequence per backend', async () => {
  const plane = await start()
  await plane.apply(configOf({ a: [1] }))
  const numbers = (await many(() => get(plane, '/next/dev/a:80'))).flat() as unknown as number[]
  expect([...numbers].sort((x, y) => x - y)).toEqual(Array.from({ length: 4000 }, (_, i) => i))
})

test('a thread that dies is replaced, gets the whole table, and is counted; the other goes on', async () => {
  const plane = await start({ random: () => 0 })
  await plane.apply(configOf({ a: [1] }))
  await plane.apply(configOf({ a: [1], b: [1] }))
  await expect(get(plane, '/die')).rejects.toThrow()
  await get(plane)
  await replaced(plane, 2)
  const states = await many(() => get(plane))
  for (const state of states) expect(state).toMatchObject({ version: 2, hosts: ['a', 'b'] })
  expect(new Set(states.map(({ whole }) => whole))).toEqual(new Set([1, 2]))
  expect(lines).toEqual([expect.stringContaining('error data-plane thread ended and is replaced {"thread":')])
  expect(lines[0]).toContain('scripted crash')
})

test('new settings reach every thread, alone or with a table, and one that takes the place of another', async () => {
  const plane = await start({ random: () => 0 })
  const config = configOf({ a: [1] })
  const settings = (serverName: string): ProxySettings => ({ ...DEFAULT_SETTINGS, serverName })
  await plane.apply(config, settings('first'))
  for (const state of await many(() => get(plane))) expect(state).toMatchObject({ version: 1, serverName: 'first' })
  const second = settings('second')
  await plane.apply(config, second)
  for (const state of await many(() => get(plane))) expect(state).toMatchObject({ version: 2, serverName: 'second' })
  await plane.apply(config, second)
  await plane.apply(config)
  expect(await plane.stats()).toMatchObject({ version: 2 })
  await expect(get(plane, '/die')).rejects.toThrow()
  await get(plane)
  await replaced(plane, 2)
  for (const state of await many(() => get(plane))) expect(state).toMatchObject({ serverName: 'second' })
})

test('the connections of a thread that died count no longer', async () => {
  const plane = await start({ threads: 1, random: () => 0, settings: () => ({ ...DEFAULT_SETTINGS, limits: { ...DEFAULT_SETTINGS.limits, connections: 1 } }) })
  await plane.apply(configOf({ a: [1] }))
  expect(await get(plane, '/enter')).toEqual({ entered: true })
  expect(await get(plane, '/enter')).toEqual({ entered: false })
  await expect(get(plane, '/die')).rejects.toThrow()
  await replaced(plane, 1)
  expect(await get(plane, '/enter')).toEqual({ entered: true })
})

test('apply does not wait for a thread that died', async () => {
  const plane = await start({ random: () => 1 })
  await plane.apply(configOf({ a: [1] }))
  await get(plane, '/silent')
  const applied = plane.apply(configOf({ b: [1] }))
  const still = {}
  expect(await Promise.race([applied, sleep(50, still)])).toBe(still)
  // Until the silent one is hit; the one that answers is replaced as well.
  while ((await Promise.race([applied, sleep(100, still)])) === still) await get(plane, '/die').catch(() => undefined)
})

test('a thread that hangs is ended after a while and replaced, so that it holds up nothing', async () => {
  const clock = fakeClock()
  const plane = await start({ threads: 1, clock, random: () => 0 })
  await plane.apply(configOf({ a: [1] }))
  await get(plane, '/silent')
  const applied = plane.apply(configOf({ b: [1] }))
  await clock.advance(29_999)
  expect(lines).toEqual([])
  await clock.advance(1)
  await vi.waitFor(() => expect(lines).toEqual([expect.stringContaining('did not serve version 2 of the table within 30 s')]))
  await clock.advance(1000)
  await applied
  expect((await get(plane)).hosts).toEqual(['b'])
  // The next ticket keys.
  expect(clock.pending).toBe(1)
})

test('what a thread had counted outlives it, though nobody had asked before', async () => {
  const plane = await start({ threads: 1, random: () => 0 })
  await plane.apply(configOf({ a: [1] }))
  await get(plane, '/', 'a')
  await expect(get(plane, '/die', 'a')).rejects.toThrow()
  await replaced(plane, 1)
  await get(plane, '/', 'a')
  const { series } = await plane.stats()
  expect(Object.fromEntries(series.map(([key, { statuses }]) => [key, statuses[1]]))).toEqual({ '//': 0, 'dev/a/a': 3 })
})

test('series of deleted objects are gone, and begin at 0 when the object comes back', async () => {
  const plane = await start({ threads: 1 })
  await plane.apply(configOf({ a: [1], b: [1] }))
  await get(plane, '/', 'a')
  await get(plane, '/', 'b')
  const keys = async () => (await plane.stats()).series.map(([key]) => key)
  expect(await keys()).toEqual(['//', 'dev/a/a', 'dev/b/b'])
  await plane.apply(configOf({ b: [1] }))
  expect(await keys()).toEqual(['//', 'dev/b/b'])
  await plane.apply(configOf({ a: [1], b: [1] }))
  await get(plane, '/', 'a')
  const back = new Map((await plane.stats()).series).get('dev/a/a')
  expect(back?.statuses).toEqual([0, 1, 0, 0, 0])
})

test('a port in use is found out before any thread starts', async () => {
  const other = createServer().listen({ port: 0, host: '127.0.0.1', reusePort: true })
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  await expect(start({ listeners: [{ port, address: '127.0.0.1', tls: false }] })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  other.close()
})

test('a fixed port is kept, two ports of 0 become two numbers', async () => {
  const first = await start({ listeners: [0, 0].map((port) => ({ port, address: '127.0.0.1', tls: false })) })
  expect(new Set(first.ports).size).toBe(2)
  expect(first.ports.every((port) => port > 0)).toBe(true)
  await first.close()
  const second = await start({ listeners: [{ port: first.ports[0] ?? 0, address: '127.0.0.1', tls: false }] })
  expect(second.ports).toEqual([first.ports[0]])
  await second.apply(configOf({}))
  expect(await get(second)).toMatchObject({ version: 1 })
})

test('settings are made from the real ports', async () => {
  let seen: readonly number[] = []
  const plane = await start({ settings: (ports) => ({ ...DEFAULT_SETTINGS, publicHttpsPort: (seen = ports)[0] ?? 0 }) })
  expect(seen).toEqual(plane.ports)
})

test('a thread that can not start makes apply reject with the reason', async () => {
  const plane = await start({ entry: new URL('data:text/javascript,throw new Error("does not boot")') })
  await expect(plane.apply(configOf({}))).rejects.toThrow('does not boot')
  await expect(plane.apply(configOf({}))).rejects.toThrow('does not boot')
})

test('drain stops accepting, sums what was cut, and replaces nobody', async () => {
  const plane = await start()
  await plane.apply(configOf({ a: [1] }))
  expect(await plane.drain(20)).toBe(2)
  await expect(get(plane)).rejects.toThrow('ECONNREFUSED')
})

test('close ends all, and applies that wait are told', async () => {
  const plane = await start({ threads: 1 })
  await plane.apply(configOf({ a: [1] }))
  await get(plane, '/silent')
  const waiting = expect(plane.apply(configOf({ b: [1] }))).rejects.toThrow('the data plane is closed')
  await plane.close()
  await waiting
  await expect(plane.apply(configOf({}))).rejects.toThrow('the data plane is closed')
  await expect(get(plane)).rejects.toThrow('ECONNREFUSED')
})
