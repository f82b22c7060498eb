// Connections that fail, or come up, from within the call that asks for them: whatever the order, a request never touches one that is over.
import { array, assert as assertProperty, boolean, constantFrom, integer, property, tuple } from 'fast-check'
import { expect, it } from 'vitest'
import { clientCells, createClientTable } from '../../src/balance/client-table.ts'
import { localCursors } from '../../src/balance/cursor.ts'
import { localBackendCells } from '../../src/balance/loads.ts'
import type { FailureKind } from '../../src/base/failure.ts'
import { silentLog } from '../../src/base/log.ts'
import { Roster } from '../../src/base/roster.ts'
import { TimerWheel } from '../../src/base/timer-wheel.ts'
import { scanHead } from '../../src/http/http1/head-scan.ts'
import { parseRequestHead } from '../../src/http/http1/request-head.ts'
import { ResponseHead } from '../../src/http/http1/response-head.ts'
import { ReadBuffers } from '../../src/http/read-buffers.ts'
import { WriteTurn } from '../../src/http/write-turn.ts'
import { wholeRouting } from '../../src/model/delta.ts'
import type { RouteRetries } from '../../src/model/policy.ts'
import type { Endpoint } from '../../src/model/routing.ts'
import { DEFAULT_SETTINGS, type PoolSettings } from '../../src/model/settings.ts'
import { emptyRecord, silentRecorder, type RequestRecord } from '../../src/observe/recorder.ts'
import { ChangeWaits } from '../../src/proxy/change-wait.ts'
import type { ProxyContext } from '../../src/proxy/context.ts'
import type { Downstream } from '../../src/proxy/downstream.ts'
import { Exchange } from '../../src/proxy/exchange.ts'
import { connectionOrigin } from '../../src/proxy/origin.ts'
import { createRouting, updateRouting } from '../../src/proxy/routing.ts'
import { settingsContext } from '../../src/proxy/settings-context.ts'
import { EndpointPool } from '../../src/upstream/pool.ts'
import { Pools } from '../../src/upstream/pools.ts'
import type { UpstreamRequest } from '../../src/upstream/request.ts'
import type { ResponseSink } from '../../src/upstream/response-sink.ts'
import { fakeClock, type FakeClock } from '../support/fake-clock.ts'
import { routing, settingsWith } from '../support/test-proxy.ts'

/** What a connection does when it is asked for, or written to; `waits`: nothing until the test says so. */
type Step = 'fails' | 'ready' | 'fails at head' | 'fails at body' | 'fails at flush' | 'waits'

/** Notes what is asked of it, and everything that is asked of it once it is over. */
class Scripted implements UpstreamRequest {
  readonly reused = false
  readonly responseStarted = false
  readonly mayRefuse = true
  readonly resetCode = 0
  readonly full = false
  requestComplete = false
  text = ''
  headSent = false
  over = false
  destroyed = false
  readonly misuse: string[] = []
  readonly #step: Step
  sink: ResponseSink | undefined

  constructor(step: Step, sink: ResponseSink) {
    this.#step = step
    this.sink = sink
  }

  fail(kind: FailureKind): void {
    const { sink } = this
    this.sink = undefined
    this.over = true
    sink?.upstreamFailed(kind, this)
  }

  /** As far as it can: comes up, or answers in full. */
  goOn(status: number): void {
    const { sink } = this
    if (sink === undefined || this.over) return
    if (!this.headSent) return sink.upstreamReady(this)
    const head = new ResponseHead()
    head.status = status
    sink.responseHead(head)
    if (this.over) return
    this.sink = undefined
    this.over = true
    sink.upstreamDone()
    sink.responseEnd('')
  }

  #asked(what: string, needsHead: boolean): void {
    if (this.over || (needsHead && !this.headSent)) this.misuse.push(what)
  }

  sendHead(sink: ResponseSink): void {
    this.#asked('head', false)
    this.headSent = true
    this.sink = sink
    if (this.#step === 'fails at head') this.fail('request-refused')
  }

  sendData(buffer: Buffer, start: number, end: number): void {
    this.#asked('data', true)
    this.text += buffer.toString('latin1', start, end)
    if (this.#step === 'fails at body') this.fail('request-refused')
  }

  sendEnd(): void {
    this.#asked('end', true)
    this.requestComplete = true
  }

  flush(): void {
    this.#asked('flush', true)
    if (this.#step === 'fails at flush') this.fail('request-refused')
  }

  flushSoon(): void {
    this.#asked('flushSoon', true)
  }

  awaitResponse(): void {
    this.#asked('awaitResponse', true)
  }

  awaitRequest(): void {
    this.#asked('awaitRequest', true)
  }

  awaitDrain(): void {
    this.#asked('awaitDrain', true)
  }

  pauseReading(): void {
    this.#asked('pauseReading', true)
  }

  resumeReading(): void {
    this.#asked('resumeReading', true)
  }

  destroy(): void {
    if (this.over) this.misuse.push('destroy')
    this.sink = undefined
    this.over = this.destroyed = true
  }
}

class ScriptedPool extends EndpointPool {
  readonly idle = 0
  full = false
  readonly steps: Step[] = []
  readonly made: Scripted[] = []

  take(): undefined {
    return undefined
  }

  connect(sink: ResponseSink): void {
    const step = this.steps.shift() ?? 'ready'
    const made = new Scripted(step, sink)
    this.made.push(made)
    sink.upstreamComing(made)
    if (step === 'fails') made.fail('connect-failed')
    else if (step !== 'waits') sink.upstreamReady(made)
  }

  closeIdle(): void {}
}

class ScriptedPools extends Pools {
  readonly made: ScriptedPool[] = []

  override acquire(endpoint: Endpoint): EndpointPool {
    const pool = new ScriptedPool(endpoint, this.context)
    pool.users = 1
    this.made.push(pool)
    return pool
  }
}

/** Holds the body back when it is told to, as clients do. */
class ScriptedClient implements Downstream {
  readonly http2 = false
  readonly tls = false
  readonly clientPort = 1
  readonly full = false
  readonly bytesOut = 0
  readonly origin = connectionOrigin('127.0.0.1', 80, undefined, { has: () => false })
  readonly statuses: number[] = []
  exchange: Exchange | undefined
  #held = ''
  #blocked = false

  body(text: string): void {
    this.#held += text
    this.#deliver()
  }

  #deliver(): void {
    if (this.#blocked || this.#held === '') return
    const bytes = Buffer.from(this.#held)
    this.#held = ''
    this.exchange?.requestData(bytes, 0, bytes.length)
    this.exchange?.requestEnd('')
  }

  blockBody(): void {
    this.#blocked = true
  }

  unblockBody(): void {
    this.#blocked = false
    this.#deliver()
  }

  sendAnswer({ status }: { readonly status: number }): void {
    this.statuses.push(status)
    this.exchange?.completed()
  }

  sendInterim(): void {}
  sendHead(): void {}
  sendData(): void {}
  sendEnd(): void {
    this.exchange?.completed()
  }

  flushSoon(): void {}
  cut(): void {}
  switchProtocols(): void {}
}

interface Stage {
  readonly exchange: Exchange
  readonly client: ScriptedClient
  readonly clock: FakeClock
  readonly pools: readonly ScriptedPool[]
  readonly records: readonly RequestRecord[]
  /** Of connections that were over, or had no head. */
  misuse(): readonly string[]
  begin(text?: string): void
}

function stage(steps: readonly (readonly Step[])[], pool: Partial<PoolSettings> = {}, retries?: RouteRetries): Stage {
  const clock = fakeClock()
  const wheel = new TimerWheel(clock)
  const settings = settingsWith({ pool: { tries: 4, connectionsPerEndpoint: 1, ...pool } })
  const buffers = new ReadBuffers()
  const turn = new WriteTurn()
  const pools = new ScriptedPools({ wheel, limits: settings.limits, timeouts: settings.timeouts, pool: settings.pool, buffers, turn, log: silentLog })
  const live = createRouting()
  const config = routing([{ host: 'a', backend: 'web', ...(retries !== undefined && { policy: { retries } }) }], { web: steps.map((_, i) => `127.0.0.${i + 1}:80`) })
  const random = () => 0.5
  updateRouting(live, wholeRouting(config), { pools, cursors: localCursors(), cells: localBackendCells(), clients: createClientTable(clientCells(16, 'seed')), random, clock, settings, onEjected: () => undefined })
  steps.forEach((each, i) => pools.made[i]?.steps.push(...each))
  const records: RequestRecord[] = []
  const context: ProxyContext = {
    ...settingsContext(settings), wheel, clock, recorder: { ...silentRecorder, request: (record) => void records.push({ ...record }) }, record: emptyRecord(), log: silentLog,
    buffers, turn, newRequestId: () => 'id', clients: new Roster(), routing: live, changes: new ChangeWaits(), now: 0, dateField: '', draining: false, tunnels: 0,
  }
  const client = new ScriptedClient()
  const exchange = new Exchange(context, client)
  client.exchange = exchange
  return {
    exchange, client, clock, pools: pools.made, records,
    misuse: () => pools.made.flatMap(({ made }) => made.flatMap(({ misuse }) => misuse)),
    begin(text = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n') {
      const head = scanHead(Buffer.from(text, 'latin1'), 0, text.length)
      expect(head && parseRequestHead(head, exchange.request, DEFAULT_SETTINGS.limits)).toBeUndefined()
      exchange.begin()
    },
  }
}

const texts = ({ pools }: Stage) => pools.map(({ made }) => made.map(({ text }) => text))

for (const step of ['fails', 'fails at head', 'fails at body', 'fails at flush'] as const) {
  it(`a connection that ${step} gives way to the next one, which gets the whole body once`, () => {
    const on = stage([[step], ['ready']])
    on.begin()
    on.client.body('body')
    expect(on.misuse()).toEqual([])
    expect(texts(on)).toEqual([[step === 'fails at body' ? 'body' : ''], ['body']])
    on.exchange.clientGone()
    expect(on.pools[1]?.made[0]?.destroyed).toBe(true)
    expect(on.misuse()).toEqual([])
  })

  it(`a connection that ${step} before one that is still to come leaves that one to be given up`, () => {
    const on = stage([[step], ['waits']])
    on.begin()
    on.client.body('body')
    on.exchange.clientGone()
    expect([on.misuse(), on.pools[1]?.made[0]?.destroyed, on.pools[1]?.made[0]?.headSent]).toEqual([[], true, false])
    expect(on.records.map(({ failure }) => failure)).toEqual(['client-gone'])
  })

  it(`a connection that ${step} where all others are taken ends in the queue, and what comes then gets the whole body`, () => {
    const on = stage([[step], ['ready']])
    const [, other] = on.pools
    if (other === undefined) throw new Error('no pool')
    other.full = true
    on.begin()
    on.client.body('body')
    expect([on.misuse(), other.made.length, on.client.statuses]).toEqual([[], 0, []])
    other.full = false
    other.serveQueue()
    expect([on.misuse(), other.made.map(({ text }) => text)]).toEqual([[], ['body']])
  })

  it(`a client that leaves while it waits in the queue after one that ${step} is not served from it`, () => {
    const on = stage([[step], ['ready']])
    const [, other] = on.pools
    if (other === undefined) throw new Error('no pool')
    other.full = true
    on.begin()
    on.exchange.clientGone()
    other.full = false
    other.serveQueue()
    expect([on.misuse(), other.made.length, on.records.length]).toEqual([[], 0, 1])
  })
}

it('all fail at once: one answer, one record, as many tries as may be', () => {
  const on = stage([['fails'], ['fails at head', 'fails at head', 'fails at head', 'fails at head'], ['fails']], { tries: 3 })
  on.begin()
  on.client.body('body')
  expect([on.misuse(), on.client.statuses.length, on.records.length]).toEqual([[], 1, 1])
  expect(on.pools.reduce((sum, { made }) => sum + made.length, 0)).toBe(3)
})

it('a full queue behind a failure is one answer', () => {
  const on = stage([['fails'], []], { queuePerEndpoint: 0 })
  for (const pool of on.pools.slice(1)) pool.full = true
  on.begin()
  expect([on.misuse(), on.client.statuses, on.records.map(({ failure }) => failure)]).toEqual([[], [502], ['connect-failed']])
})

it('whoever waited in vain for its turn is answered, and its next request starts anew', async () => {
  const on = stage([['fails'], ['ready']], { queueTimeout: 1000 })
  const [, other] = on.pools
  if (other === undefined) throw new Error('no pool')
  other.full = true
  on.begin()
  await on.clock.advance(2000)
  expect(on.records.map(({ failure }) => failure)).toEqual(['queue-timeout'])
  other.full = false
  on.begin('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  other.serveQueue()
  expect([on.misuse(), on.records.length]).toEqual([[], 1])
})

it('what is heard of a connection that was given up changes nothing', () => {
  const on = stage([['waits'], ['waits']])
  on.begin()
  const [first] = on.pools[0]?.made ?? []
  first?.fail('connect-failed')
  const [second] = on.pools[1]?.made ?? []
  if (first !== undefined) on.exchange.upstreamFailed('connect-failed', first)
  expect([second?.over, on.exchange.tries, on.client.statuses]).toEqual([false, 2, []])
})

it('a connection that is somebody else\'s before the end of the response was heard is not ended with the client', () => {
  const on = stage([['ready']])
  on.begin('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const [upstream] = on.pools[0]?.made ?? []
  on.exchange.upstreamDone()
  on.exchange.clientGone()
  expect(upstream?.destroyed).toBe(false)
})

const step = constantFrom<Step[]>('fails', 'ready', 'fails at head', 'fails at body', 'fails at flush', 'waits')
const act = tuple(constantFrom('begin', 'body', 'goes on', 'fails', 'is full', 'serves', 'client leaves', 'next is'), integer({ min: 0, max: 2 }), step, boolean())

it('whatever happens in whatever order, each request has one end, and no connection is touched that is over', () => {
  assertProperty(
    property(array(act, { maxLength: 60 }), boolean(), (acts, isRetried) => {
      const on = stage([[], [], []], { queuePerEndpoint: 2, changeWait: 0 }, isRetried ? { on: { error: true, timeout: true, invalidHeader: true, nonIdempotent: true, statuses: [503] } } : undefined)
      let begun = 0
      for (const [what, index, next, flag] of acts) {
        const pool = on.pools[index]
        const last = pool?.made.at(-1)
        const { active } = on.exchange
        if (what === 'begin' && !active) {
          begun++
          on.begin(flag ? undefined : 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
        } else if (what === 'body' && active && on.exchange.request.hasBody) on.client.body('body')
        else if (what === 'goes on') last?.goOn(flag ? 200 : 503)
        else if (what === 'fails') last?.fail(flag ? 'connect-failed' : 'response-cut')
        else if (what === 'is full' && pool !== undefined) pool.full = flag
        else if (what === 'serves') pool?.serveQueue()
        else if (what === 'client leaves') on.exchange.clientGone()
        else if (what === 'next is') pool?.steps.push(next)
        expect(on.misuse()).toEqual([])
        expect(on.records.length).toBe(begun - (on.exchange.active ? 1 : 0))
        // One at most, and none once the request is over.
        expect(on.pools.flatMap(({ made }) => made).filter(({ over }) => !over).length).toBeLessThanOrEqual(on.exchange.active ? 1 : 0)
      }
    }),
    { numRuns: 2000, seed: 11 },
  )
})
