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

/**
 * A configuration that its one owner brings up to date in place, so that a change costs what it changes and not what there is. Who looks
 * something up must not keep the maps for later; the entries are as immutable as ever.
 */
export interface OwnRouting extends RoutingConfig {
  readonly hosts: Map<string, Host>
  readonly backends: Map<string, Backend>
  readonly certificates: Map<string, Certificate>
  readonly serverNames: Map<string, ServerName>
  readonly streams: Map<string, Stream>
  defaultBackend: string | undefined
  defaultCertificate: string | undefined
}

export function ownRouting(): OwnRouting {
  return { hosts: new Map(), backends: new Map(), certificates: new Map(), serverNames: new Map(), streams: new Map(), defaultBackend: undefined, defaultCertificate: undefined }
}

export function applyDelta(config: OwnRouting, delta: RoutingDelta): void {
  applyMap(config.hosts, delta.hosts)
  applyMap(config.backends, delta.backends)
  applyMap(config.certificates, delta.certificates)
  applyMap(config.serverNames, delta.serverNames)
  applyMap(config.streams, delta.streams)
  config.defaultBackend = delta.defaultBackend
  config.defaultCertificate = delta.defaultCertificate
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

function applyMap<T>(map: Map<string, T>, { deleted, set }: MapDelta<T>): void {
  for (const key of deleted) map.delete(key)
  for (const [key, value] of set) map.set(key, value)
}
