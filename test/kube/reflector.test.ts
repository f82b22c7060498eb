// The reflector against an API server that misbehaves in every way that is known of real ones.
import { afterEach, describe, expect, test } from 'vitest'
import type { Clock } from '../../src/base/clock.ts'
import type { LogLevel } from '../../src/base/log.ts'
import { connectToUrl, type Connection } from '../../src/kube/connection.ts'
import { startReflector, type Reflector } from '../../src/kube/reflector.ts'
import { RESOURCES } from '../../src/kube/resource.ts'
import { createStore } from '../../src/kube/store.ts'
import { createTrouble } from '../../src/kube/trouble.ts'
import { bookmark, event, failure, gone, json, listOf, object, ScriptedApi, stream, type Reply } from './scripted-api.ts'

/** Short waits pass at once and are noted; long ones (the watchdog) end when the test says so. */
class TestClock implements Clock {
  readonly waits: number[] = []
  readonly long = new Set<() => void>()

  now(): number {
    return Date.now()
  }

  after(ms: number, call: () => void): () => void {
    if (ms > 60_000) {
      this.long.add(call)
      return () => this.long.delete(call)
    }
    this.waits.push(ms)
    const timer = setImmediate(call)
    return () => clearImmediate(timer)
  }
}

interface Rig {
  readonly api: ScriptedApi
  readonly reflector: Reflector
  readonly clock: TestClock
  readonly log: string[]
  /** Names after every change. */
  readonly history: string[]
  names(): string
  /** Resolves once the store is as said. */
  until(names: string): Promise<void>
}

const open: { reflector: Reflector; connection: Connection; api: ScriptedApi }[] = []
afterEach(async () => {
  for (const { reflector, connection, api } of open.splice(0)) {
    await reflector.stop()
    await connection.close()
    await api.close()
  }
})

async function rig(...replies: readonly Reply[]): Promise<Rig> {
  const api = await ScriptedApi.start(...replies)
  const connection = connectToUrl(api.url)
  const clock = new TestClock()
  const log: string[] = []
  const history: string[] = []
  const store = createStore()
  const write = (level: LogLevel, message: string): void => void log.push(`${level} ${message}`)
  const names = (): string => [...store.state().slicesByService.values()].flat().map((slice) => slice.meta.name).join(' ')
  const waiting: (() => void)[] = []
  const changed = (mattered: boolean): void => {
    if (mattered) history.push(names())
    for (const resolve of waiting.splice(0)) resolve()
  }
  const reflector = startReflector({
    connection,
    resource: RESOURCES.EndpointSlice,
    selection: { path: '/apis/discovery.k8s.io/v1/endpointslices', query: {} },
    apply: (event) => changed(store.apply(event)),
    replace: (objects) => changed(store.replace('EndpointSlice', objects)),
    trouble: createTrouble(connection, write, clock),
    log: write,
    clock,
    random: () => 0,
  })
  open.push({ reflector, connection, api })
  return {
    api, reflector, clock, log, history, names,
    async until(wanted) {
      while (names() !== wanted) await new Promise<void>((resolve) => void waiting.push(resolve))
    },
  }
}

const HANG = stream([], 'hang')

describe('a list', () => {
  test('is read page by page and is one change', async () => {
    const { api, reflector, history } = await rig(listOf('7', [object('a', '1')], 'next'), listOf('7', [object('b', '2')]), HANG)
    await reflector.synced
    await api.calls(3)
    expect(history).toEqual(['a b'])
    expect(api.asked.map(({ query }) => [query.get('limit'), query.get('continue')])).toEqual([['500', null], ['500', 'next'], [null, null]])
    const watch = api.asked[2]?.query
    expect([watch?.get('watch'), watch?.get('resourceVersion'), watch?.get('allowWatchBookmarks')]).toEqual(['true', '7', 'true'])
    expect(Number(watch?.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300)
    expect(Number(watch?.get('timeoutSeconds'))).toBeLessThanOrEqual(600)
  })

  test('whose page token expires is read at once without pages', async () => {
    const { api, reflector, history } = await rig(listOf('7', [object('a', '1')], 'next'), failure(410, 'Expired'), listOf('9', [object('a', '1'), object('b', '2')]), HANG)
    await reflector.synced
    await api.calls(4)
    expect(history).toEqual(['a b'])
    expect(api.asked[2]?.query.get('limit')).toBeNull()
    expect(api.asked[3]?.query.get('resourceVersion')).toBe('9')
  })

  test('that comes slowly is waited for, and nothing is synced before', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    let synced = false
    const { reflector } = await rig(async (response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{"metadata":{"resourceVersion":"7"},')
      await promise
      expect(synced).toBe(false)
      response.end(`"items":[${JSON.stringify(object('a', '1'))}]}`)
    }, HANG)
    void reflector.synced.then(() => (synced = true))
    resolve()
    await reflector.synced
  })

  test('that fails is tried again with growing waits, and is told once with URL and fix', async () => {
    const { api, reflector, clock, log } = await rig(failure(500, 'InternalError'), failure(503, 'ServiceUnavailable'), json('x'), failure(500, 'InternalError'), listOf('7', []), HANG)
    await reflector.synced
    await api.calls(6)
    expect(clock.waits.slice(0, 4)).toEqual([800, 1600, 3200, 6400].slice(0, clock.waits.length))
    expect(log.filter((line) => line.startsWith('error'))).toHaveLength(1)
    expect(log[0]).toContain(api.url)
    expect(log.at(-1)).toBe('info endpointslices can be read again')
  })

  test('that is forbidden names the rule to grant', async () => {
    const { api, log } = await rig(failure(403, 'Forbidden', 'endpointslices is forbidden'), failure(403, 'Forbidden'), HANG)
    await api.calls(2)
    expect(log).toEqual(['error may not list endpointslices: endpointslices is forbidden; it is tried again. Grant it with this rule: {apiGroups: ["discovery.k8s.io"], resources: [endpointslices], verbs: [list, watch]}'])
  })

  test('waits as long as the server asks', async () => {
    const { api, clock } = await rig(json({ code: 429, message: 'slow down' }, 429, { 'retry-after': '7' }), listOf('7', []), HANG)
    await api.calls(3)
    expect(clock.waits[0]).toBe(7000)
  })
})

describe('a watch', () => {
  test('brings additions, changes and deletions', async () => {
    const { until, history } = await rig(
      listOf('7', [object('a', '1')]),
      stream([event('ADDED', object('b', '8')), event('MODIFIED', object('b', '9', '10.0.0.9')), event('MODIFIED', object('b', '10', '10.0.0.9')), event('DELETED', object('a', '11'))], 'hang'),
    )
    await until('b')
    // The second MODIFIED changes nothing that is kept.
    expect(history).toEqual(['a', 'a b', 'a b', 'b'])
  })

  test.each(['end', 'cut'] as const)('whose stream has an %s goes on from the last event without a list', async (end) => {
    const { api, names } = await rig(listOf('7', []), stream([event('ADDED', object('a', '8')), event('ADDED', object('b', '9'))], end), HANG)
    await api.calls(3)
    expect(names()).toBe('a b')
    expect(api.asked[2]?.query.get('resourceVersion')).toBe('9')
  })

  test('goes on from a bookmark, so that a quiet kind does not become too old', async () => {
    const { api, reflector } = await rig(listOf('7', []), stream([bookmark('500')]), HANG)
    await api.calls(3)
    expect(api.asked[2]?.query.get('resourceVersion')).toBe('500')
    expect(reflector.facts()).toMatchObject({ lists: 1, watches: 2, events: 0, malformed: 0 })
  })

  test.each([
    ['as a status', failure(410, 'Expired')],
    ['in the stream', stream([gone], 'hang')],
  ])('that is too old %s leads to a list at once, and what is gone goes in one step', async (_, reply) => {
    const { api, history, clock } = await rig(listOf('7', [object('a', '1'), object('b', '2'), object('c', '3')]), reply, listOf('90', [object('b', '2'), object('d', '80')]), HANG)
    await api.calls(4)
    expect(history).toEqual(['a b c', 'b d'])
    expect(clock.waits).toEqual([])
    expect(api.asked[3]?.query.get('resourceVersion')).toBe('90')
  })

  test('that is too old again and again is not listed in a loop, and keeps what it has', async () => {
    const round: Reply[] = [listOf('7', [object('a', '1')]), failure(410, 'Expired')]
    const { api, clock, names, history } = await rig(...round, ...round, ...round, ...round, listOf('9', [object('a', '1')]), HANG)
    await api.calls(10)
    expect(clock.waits).toEqual([800, 1600, 3200])
    expect(names()).toBe('a')
    expect(history).toEqual(['a'])
  })

  test.each([
    ['no JSON', '{"type":"ADDED","object":{"metadata"\n'],
    ['no event', 'null\n'],
    ['a NUL', '\u0000\n'],
    ['an object without a name', event('ADDED', { metadata: {} })],
    ['an unknown type', event('ODD', {})],
  ])('with a line that is %s ends at once, though the stream would stay open, and a list follows', async (_, line) => {
    const { api, reflector, names, clock } = await rig(listOf('7', [object('a', '1')]), stream([line, event('ADDED', object('late', '8'))], 'hang'), listOf('20', [object('b', '8')]), HANG)
    await api.calls(4)
    expect(names()).toBe('b')
    expect(reflector.facts()).toMatchObject({ lists: 2, malformed: 1, events: expect.any(Number) as number })
    expect(clock.waits).toEqual([800])
  })

  test('whose last line is cut loses nothing: its event comes again', async () => {
    const { api, reflector } = await rig(listOf('7', []), stream([event('ADDED', object('a', '8')), '{"type":"DELETED","obj'], 'end'), HANG)
    await api.calls(3)
    expect(api.asked[2]?.query.get('resourceVersion')).toBe('8')
    expect(reflector.facts()).toMatchObject({ lists: 1, malformed: 0 })
  })

  test('whose characters are cut between two chunks is read whole', async () => {
    const named = event('ADDED', { ...object('a', '8'), note: 'Größe' })
    const bytes = Buffer.from(`${JSON.stringify(named)}\n`)
    const cut = bytes.indexOf(0xc3) + 1
    const { until, reflector } = await rig(listOf('7', []), async (response) => {
      response.write(bytes.subarray(0, cut))
      await new Promise((resolve) => setTimeout(resolve, 20))
      response.write(bytes.subarray(cut))
    })
    await until('a')
    expect(reflector.facts().malformed).toBe(0)
  })

  test('that goes silent is begun again from where it was', async () => {
    const { api, clock, until, log } = await rig(listOf('7', []), stream([event('ADDED', object('a', '8'))], 'hang'), HANG)
    await until('a')
    await api.calls(2)
    while (clock.long.size === 0) await new Promise((resolve) => setImmediate(resolve))
    for (const bark of clock.long) bark()
    await api.calls(3)
    expect(api.asked[2]?.query.get('resourceVersion')).toBe('8')
    expect(log.filter((line) => !line.startsWith('debug'))).toEqual([])
  })

  test('that ends at once, again and again, is not opened in a loop', async () => {
    const { api, clock } = await rig(listOf('7', []), stream([]), stream([]), stream([]), HANG)
    await api.calls(5)
    expect(clock.waits).toEqual([800, 1600, 3200])
  })

  test('with another error in the stream goes on from where it was', async () => {
    const { api } = await rig(listOf('7', []), stream([event('ADDED', object('a', '8')), { type: 'ERROR', object: { code: 500, message: 'etcd' } }], 'hang'), HANG)
    await api.calls(3)
    expect(api.asked[2]?.query.get('resourceVersion')).toBe('8')
  })
})

test('a server that is not there is told with URL and fix, and found when it comes back', async () => {
  const first = await ScriptedApi.start(HANG)
  const { url } = first
  await first.close()
  const connection = connectToUrl(url)
  const clock = new TestClock()
  const log: string[] = []
  const write = (level: LogLevel, message: string): void => void log.push(`${level} ${message}`)
  const { promise: tried, resolve } = Promise.withResolvers<void>()
  const trouble = createTrouble(connection, write, clock)
  const reflector = startReflector({
    connection, resource: RESOURCES.Service, selection: { path: '/api/v1/services', query: {} }, apply: () => undefined, replace: () => undefined,
    trouble: { failed: (...given) => (trouble.failed(...given), resolve()), recovered: trouble.recovered }, log: write, clock, random: () => 0,
  })
  await tried
  await reflector.stop()
  await connection.close()
  expect(log).toHaveLength(1)
  expect(log[0]).toContain(url)
  expect(log[0]).toContain('ECONNREFUSED')
  expect(log[0]).toContain('--kubeconfig')
})
