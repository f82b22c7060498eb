// Whatever an API server does, the store ends up like the server, and what has always been there is never missing meanwhile.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { Clock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { connectToUrl } from '../../src/kube/connection.ts'
import { startReflector } from '../../src/kube/reflector.ts'
import { RESOURCES } from '../../src/kube/resource.ts'
import { createStore } from '../../src/kube/store.ts'
import { createTrouble } from '../../src/kube/trouble.ts'

/** mulberry32: the same faults in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const eager: Clock = {
  now: () => Date.now(),
  after(ms, call) {
    if (ms > 60_000) return () => undefined
    const timer = setImmediate(call)
    return () => clearImmediate(timer)
  },
}

interface Change {
  readonly version: number
  readonly type: string
  readonly object: object
}

/** A small API server with versions and history, that breaks its answers as long as `calm` is false. */
class FaultyApi {
  calm = false
  readonly objects = new Map<string, object>()
  readonly #history: Change[] = []
  readonly #watches = new Set<ServerResponse>()
  readonly #random: () => number
  #version = 100
  /** Versions below this are forgotten. */
  #oldest = 100

  constructor(random: () => number) {
    this.#random = random
  }

  readonly server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://api')
    response.setHeader('content-type', 'application/json')
    if (searchParams.has('watch')) this.#watch(response, Number(searchParams.get('resourceVersion')))
    else this.#list(response, Number(searchParams.get('limit')), searchParams.get('continue') ?? '')
  })

  put(name: string, address: string): void {
    const type = this.objects.has(name) ? 'MODIFIED' : 'ADDED'
    const object = this.#made(name, address)
    this.objects.set(name, object)
    this.#record(type, object)
  }

  delete(name: string): void {
    if (!this.objects.delete(name)) return
    this.#record('DELETED', this.#made(name, '10.0.0.0'))
  }

  #made(name: string, address: string): object {
    const resourceVersion = String(++this.#version)
    return { metadata: { name, namespace: 'dev', resourceVersion, labels: { 'kubernetes.io/service-name': name } }, addressType: 'IPv4', ports: [{ port: 80 }], endpoints: [{ addresses: [address] }] }
  }

  #record(type: string, object: object): void {
    const change = { version: this.#version, type, object }
    this.#history.push(change)
    for (const watch of this.#watches) this.#send(watch, change)
  }

  #send(watch: ServerResponse, change: Change): void {
    const line = `${JSON.stringify({ type: change.type, object: change.object })}\n`
    const dice = this.calm ? 1 : this.#random()
    if (dice < 0.04) watch.write(line.slice(0, line.length / 2))
    // The event is lost, and what follows hides it: only a new list can tell.
    else if (dice > 0.97 && !this.calm) watch.write('garbage\n')
    else watch.write(line)
    if (dice < 0.04) this.#end(watch, () => watch.destroy())
    else if (dice < 0.1) this.#end(watch, () => watch.end())
    else if (dice < 0.105) this.#end(watch, () => watch.end(`${JSON.stringify({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })}\n`))
    else if (dice < 0.14) watch.write(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(change.version) } } })}\n`)
    else if (dice < 0.145) this.#oldest = change.version
  }

  #end(watch: ServerResponse, end: () => void): void {
    this.#watches.delete(watch)
    end()
  }

  #watch(response: ServerResponse, from: number): void {
    const dice = this.calm ? 1 : this.#random()
    if (dice < 0.1) return void response.writeHead(500).end('oops')
    if (dice < 0.15) return void response.destroy()
    if (from < this.#oldest || (dice < 0.16 && !this.calm)) return void response.writeHead(410).end(JSON.stringify({ code: 410, reason: 'Expired' }))
    response.flushHeaders()
    this.#watches.add(response)
    response.on('close', () => this.#watches.delete(response))
    for (const change of this.#history) if (change.version > from && this.#watches.has(response)) this.#send(response, change)
  }

  #list(response: ServerResponse, limit: number, token: string): void {
    const dice = this.calm ? 1 : this.#random()
    if (dice < 0.1) return void response.writeHead(503).end('{}')
    if (dice < 0.15) return void response.write('{"metadata":{"resourceVersion":"1"},"items":[', () => response.destroy())
    if (dice < 0.2) return void response.end('[]')
    if (dice < 0.3 && token !== '') return void response.writeHead(410).end(JSON.stringify({ code: 410, reason: 'Expired' }))
    // Pages of one list are of one moment: the token holds it.
    const all: { readonly version: number; readonly items: readonly object[] } = token === '' ? { version: this.#version, items: [...this.objects.values()] } : (this.#pages.get(token) ?? { version: 0, items: [] })
    const size = limit > 0 ? 3 : all.items.length
    const rest = all.items.slice(size)
    const next = rest.length > 0 ? `${all.version}-${rest.length}-${this.#pages.size}` : ''
    if (next !== '') this.#pages.set(next, { version: all.version, items: rest })
    response.end(JSON.stringify({ metadata: { resourceVersion: String(all.version), continue: next }, items: all.items.slice(0, size) }))
  }

  readonly #pages = new Map<string, { readonly version: number; readonly items: readonly object[] }>()
}

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

test.each([1, 2, 3, 4, 5, 6])('storm %i', async (seed) => {
  const random = seeded(seed)
  const api = new FaultyApi(random)
  for (const name of ['always-1', 'always-2', 'always-3', 'always-4']) api.put(name, '10.0.0.1')
  api.server.listen(0, '127.0.0.1')
  await once(api.server, 'listening')
  const connection = connectToUrl(`http://127.0.0.1:${(api.server.address() as AddressInfo).port}`)
  const store = createStore()
  const missing: string[] = []
  const check = (): void => {
    const { slicesByService } = store.state()
    for (const name of ['always-1', 'always-2', 'always-3', 'always-4']) if (!slicesByService.has(`dev/${name}`)) missing.push(name)
  }
  const reflector = startReflector({
    connection, resource: RESOURCES.EndpointSlice, selection: { path: '/slices', query: {} }, clock: eager, random, log: silentLog, trouble: createTrouble(connection, silentLog, eager),
    apply: (event) => void (store.apply(event), check()),
    replace: (objects) => void (store.replace('EndpointSlice', objects), check()),
  })
  ends.push(async () => {
    api.server.closeAllConnections()
    api.server.close()
    await once(api.server, 'close')
  }, () => connection.close(), () => reflector.stop())
  await reflector.synced

  for (let step = 0; step < 250; step++) {
    const name = `n-${Math.floor(random() * 12)}`
    if (random() < 0.3) api.delete(name)
    else api.put(name, `10.0.${Math.floor(random() * 4)}.1`)
    if (random() < 0.2) api.put('always-1', `10.0.0.${Math.floor(random() * 4)}`)
    if (step % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  api.calm = true
  api.put('last', '10.0.0.9')

  const picture = (): string => [...store.state().slicesByService].map(([key, [slice]]) => `${key} ${slice?.endpoints[0]?.address}`).sort().join('\n')
  const truth = [...api.objects].map(([name, object]) => `dev/${name} ${(object as { endpoints: { addresses: string[] }[] }).endpoints[0]?.addresses[0]}`).sort().join('\n')
  const deadline = performance.now() + 10_000
  while (picture() !== truth && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(picture()).toBe(truth)
  expect(missing).toEqual([])
  const { lists, watches } = reflector.facts()
  expect(lists).toBeGreaterThan(1)
  expect(watches).toBeGreaterThan(lists)
})
