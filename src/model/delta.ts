// The difference between two routing configurations: what goes down to the data-plane threads.
import { EMPTY_ROUTING, type Backend, type Certificate, type Host, type RoutingConfig, type ServerName, type Stream } from './routing.ts'

export interface MapDelta<T> {
  readonly set: readonly (readonly [string, T])[]
  readonly deleted: readonly string[]
}

export interface RoutingDelta {
  readonly hosts: MapDelta<Host>
  readonly backends: MapDelta<Backend>
  readonly certificates: MapDelta<Certificate>
  readonly serverNames: MapDelta<ServerName>
  readonly streams: MapDelta<Stream>
  readonly defaultBackend: string | undefined
  readonly defaultCertificate: string | undefined
}

/** Compares entries by identity: O(entries), no deep comparison. */
export function diffRouting(before: RoutingConfig, after: RoutingConfig): RoutingDelta {
  return {
    hosts: diffMap(before.hosts, after.hosts),
    backends: diffMap(before.backends, after.backends),
    certificates: diffMap(before.certificates, after.certificates),
    serverNames: diffMap(before.serverNames, after.serverNames),
    streams: diffMap(before.streams, after.streams),
    defaultBackend: after.defaultBackend,
    defaultCertificate: after.defaultCertificate,
  }
}

/** The whole of a configuration as a delta, for a thread that starts from nothing. */
export function wholeRouting(config: RoutingConfig): RoutingDelta {
  return diffRouting(EMPTY_ROUTING, config)
}

export function applyDelta(config: RoutingConfig, delta: RoutingDelta): RoutingConfig {
  return {
    hosts: applyMap(config.hosts, delta.hosts),
    backends: applyMap(config.backends, delta.backends),
    certificates: applyMap(config.certificates, delta.certificates),
    serverNames: applyMap(config.serverNames, delta.serverNames),
    streams: applyMap(config.streams, delta.streams),
    defaultBackend: delta.defaultBackend,
    defaultCertificate: delta.defaultCertificate,
  }
}

/** True when applying it would change nothing. */
export function isEmptyDelta(delta: RoutingDelta, before: RoutingConfig): boolean {
  const empty = (d: MapDelta<unknown>) => d.set.length === 0 && d.deleted.length === 0
  return (
    empty(delta.hosts) &&
    empty(delta.backends) &&
    empty(delta.certificates) &&
    empty(delta.serverNames) &&
    empty(delta.streams) &&
    delta.defaultBackend === before.defaultBackend &&
    delta.defaultCertificate === before.defaultCertificate
  )
}

function diffMap<T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>): MapDelta<T> {
  if (before === after) return { set: [], deleted: [] }
  const set: [string, T][] = []
  const deleted: string[] = []
  for (const [key, value] of after) if (before.get(key) !== value) set.push([key, value])
  for (const key of before.keys()) if (!after.has(key)) deleted.push(key)
  return { set, deleted }
}

function applyMap<T>(map: ReadonlyMap<string, T>, delta: MapDelta<T>): ReadonlyMap<string, T> {
  if (delta.set.length === 0 && delta.deleted.length === 0) return map
  const next = new Map(map)
  for (const key of delta.deleted) next.delete(key)
  for (const [key, value] of delta.set) next.set(key, value)
  return next
}
