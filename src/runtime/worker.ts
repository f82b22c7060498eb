// The entry of a data-plane thread: one proxy, fed by messages. Loads neither client-node nor fastify; everything it
// knows came in a message, so a replacement can be started at any time.
import { parentPort } from 'node:worker_threads'
import { createClientTable } from '../balance/client-table.ts'
import { systemClock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { createContexts, type Contexts } from '../http/tls/contexts.ts'
import type { ProxySettings } from '../model/settings.ts'
import { createAccessLog, type AccessLog } from '../observe/access-log.ts'
import { createStreamRecorder } from '../observe/stream-counters.ts'
import { createThreadRecorder, type ThreadRecorder } from '../observe/thread-recorder.ts'
import { createAdmission } from '../proxy/admission.ts'
import { createProxy, type Proxy } from '../proxy/proxy.ts'
import { createStreams, type Streams } from '../stream/streams.ts'
import { certificateLookup } from './certificate-lookup.ts'
import type { FromThread, TableUpdate, ThreadStart, ToThread } from './messages.ts'
import { createSharedCells } from './shared-cells.ts'
import { createSharedCursors } from './shared-cursors.ts'

interface Running {
  readonly proxy: Proxy
  readonly streams: Streams
  readonly contexts: Contexts
  readonly recorder: ThreadRecorder
  readonly accessLog: AccessLog | undefined
  settings: ProxySettings
}

const port = parentPort
if (port === null) throw new Error('worker.ts runs as a worker thread only')

const say = (message: FromThread): void => port.postMessage(message)
const log: Log = (level, message, facts = {}) => say({ kind: 'log', level, message, facts: plain(facts) })
const cursors = createSharedCursors()
const cells = createSharedCells()
let running: Running | undefined

port.on('message', (message: ToThread) => {
  handle(message).catch((error: unknown) => {
    // The supervisor replaces a thread that ends: better than one that serves half a table.
    setImmediate(() => {
      throw error
    })
  })
})
say({ kind: 'booted' })

async function handle(message: ToThread): Promise<void> {
  switch (message.kind) {
    case 'start': {
      running = create(message.start)
      await apply(running, message.update)
      await listen(running.proxy, message.start, message.update.version)
      return
    }
    case 'apply': {
      if (running === undefined) return
      await apply(running, message.update)
      say({ kind: 'applied', version: message.update.version })
      return
    }
    case 'figures': {
      running?.recorder.forget(message.forget)
      say({ kind: 'figures', id: message.id })
      return
    }
    case 'ticket-keys': {
      running?.contexts.setTicketKeys(message.keys)
      return
    }
    case 'access-written': {
      running?.accessLog?.written(message.characters)
      return
    }
    case 'drain': {
      const cuts = await Promise.all([running?.proxy.drain(message.ms), running?.streams.drain(message.ms)])
      const cut = cuts.reduce<number>((sum, each) => sum + (each ?? 0), 0)
      running?.accessLog?.flush()
      say({ kind: 'drained', cut })
      return
    }
    case 'close': {
      running?.proxy.close()
      running?.streams.close()
      running?.accessLog?.flush()
      say({ kind: 'closed' })
    }
  }
}

function create({ thread, admission, clients, settings, listeners, reusePort, defaultCertificate, ticketKeys, accessLog: isLogged }: ThreadStart): Running {
  const accessLog = isLogged ? createAccessLog(systemClock, (lines) => say({ kind: 'access', lines }), () => recorder.lineDropped()) : undefined
  const recorder = createThreadRecorder((news) => say({ kind: 'counters', news }), accessLog?.write)
  const contexts = createContexts({
    lookup: certificateLookup(() => proxy.table()),
    defaultCertificate,
    ticketKeys,
    tls: settings.tls,
    log,
  })
  const proxy = createProxy({
    settings,
    cursors,
    cells,
    recorder,
    contexts,
    admission: createAdmission(admission, thread, settings.limits),
    clients,
    clock: systemClock,
    random: Math.random,
    log,
    passOn: (connection) => streams.passOn(connection),
    onEjected: (ejection) => say({ kind: 'ejected', ejection }),
  })
  const streams = createStreams({
    address: listeners[0]?.address ?? '',
    reusePort,
    settings,
    cursors,
    cells,
    clients: createClientTable(clients),
    recorder: createStreamRecorder((id, buffer) => say({ kind: 'counters', news: { kind: 'stream', id, buffer } })),
    clock: systemClock,
    random: Math.random,
    onEjected: (ejection) => say({ kind: 'ejected', ejection }),
    onTrouble: (id, code) => say({ kind: 'stream-trouble', id, code }),
  })
  return { proxy, streams, contexts, recorder, accessLog, settings }
}

/** Resolves when the listeners that come with it were tried; requests are served by the new table before. */
async function apply(now: Running, { delta, memory, settings }: TableUpdate): Promise<void> {
  const { proxy, contexts, streams } = now
  if (settings !== undefined) {
    proxy.configure(settings)
    streams.configure(settings)
    contexts.configure(settings.tls, settings.http2.overTls !== now.settings.http2.overTls)
    now.settings = settings
  }
  cursors.learn(memory.slots)
  cells.learn(memory.cells, memory.own)
  proxy.apply(delta)
  contexts.refresh()
  await streams.apply(proxy.table().config)
}

async function listen(proxy: Proxy, { listeners, reusePort }: ThreadStart, version: number): Promise<void> {
  try {
    await Promise.all(listeners.map((listener) => proxy.listen({ ...listener, reusePort })))
    say({ kind: 'serving', version })
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    say({ kind: 'failed', message, code: code ?? '' })
  }
}

/** Errors as text: not every fact survives the way between threads. */
function plain(facts: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, isPlain(value) ? value : String(value)]))
}

function isPlain(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value)
}
