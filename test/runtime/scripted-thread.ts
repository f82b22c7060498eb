// Stands in for src/runtime/worker.ts where a test must make a thread die, lag or fail at will. It serves real HTTP on the
// shared port; the request's path says what happens.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { parentPort } from 'node:worker_threads'
import { applyDelta, ownRouting } from '../../src/model/delta.ts'
import type { ProxySettings } from '../../src/model/settings.ts'
import { emptyRecord } from '../../src/observe/recorder.ts'
import { createThreadRecorder } from '../../src/observe/thread-recorder.ts'
import { createAdmission, type Admission } from '../../src/proxy/admission.ts'
import type { FromThread, TableUpdate, ToThread } from '../../src/runtime/messages.ts'
import { createSharedCursors } from '../../src/runtime/shared-cursors.ts'

const port = parentPort
if (port === null) throw new Error('runs as a thread only')
const say = (message: FromThread): void => port.postMessage(message)
const cursors = createSharedCursors()
const recorder = createThreadRecorder((news) => say({ kind: 'counters', news }))
const config = ownRouting()
let version = 0
let isSilent = false
const servers: Server[] = []
let whole = 0
let settings: ProxySettings | undefined
let admission: Admission | undefined

function apply(update: TableUpdate): void {
  settings = update.settings ?? settings
  cursors.learn(update.memory.slots)
  applyDelta(config, update.delta)
  ;({ version } = update)
}

function answer(path: string): unknown {
  if (path === '/silent') isSilent = true
  if (path === '/enter') return { entered: admission?.enter() }
  if (path.startsWith('/next/')) return Array.from({ length: 100 }, () => cursors.of(path.slice(6)).next())
  return { version, hosts: [...config.hosts.keys()], backends: [...config.backends.keys()], whole, serverName: settings?.serverName }
}

function serve(): Server {
  return createServer((request, response) => {
    recorder.request({ ...emptyRecord(), status: 200, route: config.hosts.get(request.headers.host ?? '')?.routes[0]?.source })
    if (request.url === '/hold') return
    if (request.url === '/die') throw new Error('scripted crash')
    response.setHeader('connection', 'close').end(JSON.stringify(answer(request.url ?? '')))
  })
}

async function handle(message: ToThread): Promise<void> {
  switch (message.kind) {
    case 'start':
      admission = createAdmission(message.start.admission, message.start.thread, message.start.settings.limits)
      ;({ settings } = message.start)
      whole = message.update.delta.hosts.set.length
      apply(message.update)
      for (const listener of message.start.listeners) {
        const server = serve()
        server.listen({ port: listener.port, host: listener.address, reusePort: message.start.reusePort })
        await once(server, 'listening')
        servers.push(server)
      }
      say({ kind: 'serving', version })
      return
    case 'apply':
      apply(message.update)
      if (!isSilent) say({ kind: 'applied', version })
      return
    case 'figures':
      recorder.forget(message.forget)
      if (!isSilent) say({ kind: 'figures', id: message.id })
      return
    case 'drain':
      for (const server of servers) server.close()
      setTimeout(() => say({ kind: 'drained', cut: 1 }), message.ms)
      return
    case 'access-written':
      return
    case 'close':
      say({ kind: 'closed' })
  }
}

port.on('message', (message: ToThread) => void handle(message).catch((error: Error) => say({ kind: 'failed', message: error.message, code: 'SCRIPTED' })))
say({ kind: 'booted' })
