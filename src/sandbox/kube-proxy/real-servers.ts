// The endpoints of one virtual server: chosen by its scheduler and by what a client had before, counted one by one.
import type { Clock } from '../../base/clock.ts'
import { localCursors } from '../../balance/cursor.ts'
import type { PeerAddress } from '../../http/proxy-protocol/header.ts'
import type { Backend } from '../../model/routing.ts'
import { createRoutedBackend, type Lease, type StreamBackend } from '../../stream/stream-backend.ts'
import type { Affinity } from './affinity.ts'
import type { VirtualServer } from './virtual-servers.ts'

export interface RealServer {
  /** `address:port`. */
  readonly id: string
  /** 0: gone, and finishing its connections. */
  readonly weight: number
  readonly active: number
  readonly total: number
}

export interface RealServers extends StreamBackend {
  update(server: VirtualServer): void
  list(): readonly RealServer[]
}

interface Count {
  active: number
  total: number
}

export function createRealServers(first: VirtualServer, affinityOf: (key: string) => Affinity, clock: Clock): RealServers {
  let server = first
  const backend = createRoutedBackend(backendOf(first), { cursors: localCursors(), random: Math.random, clock })
  const counts = new Map<string, Count>()

  function counted(lease: Lease): Lease {
    const { id } = lease.endpoint
    const count = counts.get(id) ?? { active: 0, total: 0 }
    counts.set(id, count)
    count.active++
    count.total++
    return {
      endpoint: lease.endpoint,
      end(reached) {
        lease.end(reached)
        count.active--
        if (!reached) count.total--
        forget(id, count)
      },
    }
  }

  function forget(id: string, count: Count): void {
    if (count.active === 0 && !server.endpoints.some((endpoint) => endpoint.id === id)) counts.delete(id)
  }

  /** As chosen before, if that one is there and was not tried. */
  function again(client: PeerAddress, tried: ReadonlySet<string>): Lease | undefined {
    const { affinity, endpoints } = server
    const known = affinity === undefined ? undefined : affinityOf(affinity.key).endpointOf(client.address, affinity.timeoutMs)
    if (known === undefined || tried.has(known)) return undefined
    return backend.take(client, new Set(endpoints.flatMap(({ id }) => (id === known ? [] : [id]))))
  }

  return {
    update(next) {
      server = next
      backend.update(backendOf(next))
      for (const [id, count] of counts) forget(id, count)
    },
    take(client, tried) {
      const lease = again(client, tried) ?? backend.take(client, tried)
      if (lease === undefined) return undefined
      if (server.affinity !== undefined) affinityOf(server.affinity.key).remember(client.address, lease.endpoint.id)
      return counted(lease)
    },
    has: (endpoint) => backend.has(endpoint),
    list() {
      const ids = new Set([...server.endpoints.map(({ id }) => id), ...counts.keys()])
      return [...ids].map((id) => ({
        id,
        weight: server.endpoints.find((endpoint) => endpoint.id === id)?.weight ?? 0,
        ...(counts.get(id) ?? { active: 0, total: 0 }),
      }))
    },
  }
}

function backendOf({ id, service, port, scheduler, endpoints }: VirtualServer): Backend {
  const [namespace = '', name = ''] = service.split('/')
  return { id, namespace, service: name, port: String(port), scheduler, endpoints }
}
