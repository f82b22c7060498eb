// TCP and UDP services of one thread over real sockets.
import { localCursors } from '../../src/balance/cursor.ts'
import type { Ejection } from '../../src/balance/endpoint-health.ts'
import { systemClock, type Clock } from '../../src/base/clock.ts'
import type { Backend, Stream } from '../../src/model/routing.ts'
import { DEFAULT_SETTINGS, type StreamSettings } from '../../src/model/settings.ts'
import { newStreamCells, readStreamCells, streamCounters, type StreamFigures } from '../../src/observe/stream-counters.ts'
import { createStreams, type StreamConfig, type Streams } from '../../src/stream/streams.ts'

export interface StreamSpec {
  readonly protocol?: 'TCP' | 'UDP'
  /** 0: any free one, which `ports` of the streams tells. */
  readonly port?: number
  readonly proxyIn?: boolean
  readonly proxyOut?: boolean
  readonly scheduler?: Backend['scheduler']
  /** Ports on 127.0.0.1, or `address:port`. */
  readonly endpoints: readonly (number | string)[]
}

/** By stream id; each has a backend of its own. */
export function streamConfig(specs: Readonly<Record<string, StreamSpec>>): StreamConfig {
  const streams = new Map<string, Stream>()
  const backends = new Map<string, Backend>()
  for (const [id, { protocol = 'TCP', port = 0, proxyIn = false, proxyOut = false, scheduler = 'rr', endpoints }] of Object.entries(specs)) {
    const source = { object: { kind: 'ConfigMap', apiVersion: 'v1', namespace: 'test', name: 'tcp' }, field: `data[${port}]` }
    streams.set(id, { id, protocol, port, backend: id, proxyIn, proxyOut, source })
    backends.set(id, {
      id,
      namespace: 'test',
      service: id,
      port: '1',
      scheduler,
      endpoints: endpoints.map((each) => {
        const [address = '', at = ''] = typeof each === 'number' ? ['127.0.0.1', String(each)] : each.split(':')
        return { id: `${address}:${at}`, address, port: Number(at), weight: 1 }
      }),
    })
  }
  return { streams, backends }
}

export interface TestStreams {
  readonly streams: Streams
  port(id: string): number
  figures(id: string): StreamFigures
  readonly troubles: [string, string | undefined][]
}

export interface TestStreamsOptions extends Partial<StreamSettings> {
  readonly clock?: Clock
  readonly connectTimeout?: number
  readonly onEjected?: (ejection: Ejection) => void
}

export async function startStreams(config: StreamConfig, { clock = systemClock, connectTimeout = 1000, onEjected, ...settings }: TestStreamsOptions = {}): Promise<TestStreams> {
  const cells = new Map<string, Float64Array>()
  const cellsOf = (id: string): Float64Array => {
    const known = cells.get(id) ?? newStreamCells()
    cells.set(id, known)
    return known
  }
  const troubles: [string, string | undefined][] = []
  const streams = createStreams({
    address: '127.0.0.1',
    reusePort: false,
    settings: { ...DEFAULT_SETTINGS, timeouts: { ...DEFAULT_SETTINGS.timeouts, connect: connectTimeout }, streams: { ...DEFAULT_SETTINGS.streams, ...settings } },
    cursors: localCursors(),
    clock,
    random: () => 0.5,
    ...(onEjected === undefined ? {} : { onEjected }),
    recorder: { of: (id) => streamCounters(cellsOf(id)) },
    onTrouble: (id, code) => troubles.push([id, code]),
  })
  await streams.apply(config)
  return { streams, port: (id) => streams.ports().get(id) ?? 0, figures: (id) => readStreamCells(cellsOf(id)), troubles }
}
