// The TCP and UDP services of one thread: listeners that come and go with the configuration, each without touching the others.
import { createBackoff, type Backoff } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { TimerWheel } from '../base/timer-wheel.ts'
import type { ClientTable } from '../balance/client-table.ts'
import type { CursorSource } from '../balance/cursor.ts'
import type { Ejection } from '../balance/endpoint-health.ts'
import type { BackendCells } from '../balance/loads.ts'
import { ReadBuffers } from '../http/read-buffers.ts'
import type { RoutingConfig, Stream } from '../model/routing.ts'
import type { ProxySettings } from '../model/settings.ts'
import type { StreamRecorder } from '../observe/stream-counters.ts'
import type { PassOn } from '../http/tls/passthrough.ts'
import type { Destination, Listener, StreamContext } from './destination.ts'
import { createPassthroughSide } from './passthrough.ts'
import { createRoutedBackend, type RoutedBackend } from './stream-backend.ts'
import { listenTcp } from './tcp-listener.ts'
import { listenUdp } from './udp-listener.ts'

export interface StreamsOptions {
  /** Empty: all addresses. */
  readonly address: string
  readonly reusePort: boolean
  readonly settings: ProxySettings
  readonly cursors: CursorSource
  /** Where schedulers count; absent: for these streams alone. */
  readonly cells?: BackendCells
  /** Which endpoint each client had, for all threads; absent: sessionAffinity means nothing. */
  readonly clients?: ClientTable
  readonly clock: Clock
  /** Like Math.random. */
  readonly random: () => number
  readonly recorder: StreamRecorder
  /** An endpoint that takes no connections is out of use, for all threads; absent: none is for that. */
  readonly onEjected?: (ejection: Ejection) => void
  /** A port that can't be had (the code of the error) and is tried again, or, undefined, that could be had after all. */
  readonly onTrouble: (streamId: string, code: string | undefined) => void
}

export type StreamConfig = Pick<RoutingConfig, 'streams' | 'backends'>

export interface Streams {
  /** Resolves once each new port listens or could not be had; connections that are open go on. */
  apply(config: StreamConfig): Promise<void>
  /** For connections and UDP clients to come: times, limits, tries. Health stays as it was at the start. */
  configure(settings: ProxySettings): void
  /** Takes over a TLS connection of the proxy's listener. */
  readonly passOn: PassOn
  /** By stream id, of those that listen. */
  ports(): ReadonlyMap<string, number>
  /** Open connections and UDP clients. */
  open(): number
  /** Takes nobody new, lets what is open end within `ms`; answers how many were cut then. */
  drain(ms: number): Promise<number>
  close(): void
}

interface Service {
  stream: Stream
  listener: Listener | undefined
  readonly backoff: Backoff
  cancelRetry: (() => void) | undefined
  removed: boolean
}

const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 15_000

export function createStreams(options: StreamsOptions): Streams {
  const { clock, random, recorder, onTrouble } = options
  let { settings } = options
  const parts = options.onEjected === undefined ? options : { ...options, health: { settings: settings.health, onEjected: options.onEjected } }
  const services = new Map<string, Service>()
  const backends = new Map<string, RoutedBackend>()
  /** Those that were stopped and have connections yet. */
  const stopped = new Set<Listener>()
  const passthrough = createPassthroughSide({ context: contextOf, backends: parts, recorder, onIdle: tellIfEmpty })
  let context: StreamContext | undefined
  let onEmpty: (() => void) | undefined
  let draining = false
  let closed = false

  /** Made for the first service: without any there is no wheel that turns. */
  function contextOf(): StreamContext {
    context ??= { wheel: new TimerWheel(clock), buffers: new ReadBuffers(), ...contextSettings(settings) }
    return context
  }

  function destinationOf({ backend: id, proxyIn, proxyOut }: Stream): Destination | undefined {
    const backend = backends.get(id)
    return backend === undefined ? undefined : { backend, proxyIn, proxyOut }
  }

  function updateBackends(config: StreamConfig): void {
    const used = new Set([...config.streams.values()].map(({ backend }) => backend))
    for (const id of backends.keys()) if (!used.has(id)) backends.delete(id)
    for (const id of used) {
      const backend = config.backends.get(id)
      const known = backends.get(id)
      if (backend === undefined || known?.backend === backend) continue
      if (known === undefined) backends.set(id, createRoutedBackend(backend, parts))
      else known.update(backend)
    }
  }

  async function listen(service: Service): Promise<void> {
    const { stream } = service
    const destination = destinationOf(stream)
    if (destination === undefined) return
    const open = stream.protocol === 'TCP' ? listenTcp : listenUdp
    try {
      const at = { port: stream.port, address: options.address, reusePort: options.reusePort }
      const listener = await open(at, destination, { context: contextOf(), counters: recorder.of(stream.id), onIdle: tellIfEmpty })
      if (service.removed || closed) return listener.close()
      listener.destination = destinationOf(service.stream) ?? destination
      service.listener = listener
      onTrouble(stream.id, undefined)
    } catch (error) {
      if (service.removed || closed) return
      onTrouble(stream.id, error instanceof Error && 'code' in error ? String(error.code) : 'unknown')
      service.cancelRetry = clock.after(service.backoff.next(), () => void listen(service))
    }
  }

  function remove(id: string, service: Service): void {
    services.delete(id)
    service.removed = true
    service.cancelRetry?.()
    const { listener } = service
    if (listener === undefined) return
    listener.stop()
    if (listener.open > 0) stopped.add(listener)
  }

  function tellIfEmpty(): void {
    for (const listener of stopped) if (listener.open === 0) stopped.delete(listener)
    if (openCount() === 0) onEmpty?.()
  }

  function openCount(): number {
    let open = 0
    for (const { listener } of services.values()) open += listener?.open ?? 0
    for (const listener of stopped) open += listener.open
    return open + passthrough.open
  }

  function close(): void {
    closed = true
    for (const [id, service] of services) {
      service.listener?.close()
      remove(id, service)
    }
    for (const listener of stopped) listener.close()
    stopped.clear()
    passthrough.close()
    context?.wheel.stop()
  }

  return {
    async apply(config) {
      if (closed || draining) return
      updateBackends(config)
      passthrough.use(config.backends)
      for (const [id, service] of services) if (!config.streams.has(id)) remove(id, service)
      const opening: Promise<void>[] = []
      for (const [id, stream] of config.streams) {
        const known = services.get(id)
        if (known === undefined) {
          const service: Service = { stream, listener: undefined, backoff: createBackoff(FIRST_RETRY_MS, LONGEST_RETRY_MS, random), cancelRetry: undefined, removed: false }
          services.set(id, service)
          opening.push(listen(service))
        } else if (known.stream !== stream) {
          known.stream = stream
          const destination = destinationOf(stream)
          if (known.listener !== undefined && destination !== undefined) known.listener.destination = destination
        }
      }
      await Promise.all(opening)
    },
    configure(next) {
      settings = next
      if (context !== undefined) Object.assign(context, contextSettings(next))
    },
    passOn: passthrough.take,
    ports: () => new Map([...services].flatMap(([id, { listener }]) => (listener === undefined ? [] : [[id, listener.port]]))),
    open: openCount,
    drain(ms) {
      draining = true
      for (const { listener, stream } of services.values()) if (stream.protocol === 'TCP') listener?.stop()
      return new Promise((resolve) => {
        // UDP has no end to wait for.
        const tcpOpen = (): number => {
          let open = 0
          for (const { listener, stream } of services.values()) if (stream.protocol === 'TCP') open += listener?.open ?? 0
          for (const listener of stopped) open += listener.open
          return open + passthrough.open
        }
        const finish = (): void => {
          const cut = tcpOpen()
          cancel()
          onEmpty = undefined
          close()
          resolve(cut)
        }
        const cancel = clock.after(ms, finish)
        onEmpty = () => {
          if (tcpOpen() === 0) finish()
        }
        if (tcpOpen() === 0) finish()
      })
    },
    close,
  }
}

function contextSettings({ streams, timeouts, pool }: ProxySettings): Pick<StreamContext, 'settings' | 'connectTimeout' | 'tries'> {
  return { settings: streams, connectTimeout: timeouts.connect, tries: pool.tries }
}
