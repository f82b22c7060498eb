// A routing configuration that can be asked: which route takes a request, which certificate a name. Pure; knows no sockets.
// A host that has rules answers for all its paths: what none of them takes goes to the default backend, never to the
// wildcard or to rules without a host (as nginx chooses its server block).
import type { HandshakeTerms } from '../model/policy.ts'
import { EMPTY_ROUTING, type Host, type Route, type RoutingConfig } from '../model/routing.ts'
import { compilePaths, matchPath, type PathTable } from './paths.ts'

export interface Table {
  readonly config: RoutingConfig
  /** By host name, made when a host is first asked for and good while the Host keeps its identity. */
  readonly compiled: Map<string, CompiledHost>
}

interface CompiledHost {
  readonly host: Host
  readonly paths: PathTable
}

export const EMPTY_TABLE: Table = Object.freeze({ config: EMPTY_ROUTING, compiled: new Map() })

/** Costs nothing: hosts are compiled when first asked for, anew when the Host is another object. */
export function compileTable(config: RoutingConfig): Table {
  return { config, compiled: new Map() }
}

/** Of hosts that are no longer in the configuration. */
export function forgetHosts({ compiled }: Table, names: readonly string[]): void {
  for (const name of names) compiled.delete(name)
}

/**
 * The route that takes a request; undefined: the default backend does, or 404 without one.
 * `host` is lower case, without port and trailing dot; `path` is normalised and without query.
 */
export function match(table: Table, host: string, path: string): Route | undefined {
  return matchIn(table, hostFor(table, host), path)
}

/** The same where the Host is known already. */
export function matchIn(table: Table, host: Host | undefined, path: string): Route | undefined {
  return host === undefined ? undefined : matchPath(pathsOf(table, host), path)
}

/** The Host whose rules speak for a host name: exact, then `*.` and one label, then `*`. */
export function hostFor(table: Table, host: string): Host | undefined {
  const { hosts } = table.config
  return hosts.get(host) ?? hosts.get(wildcardOf(host)) ?? hosts.get('*')
}

/** Certificate ids for an SNI name, the preferred one first; empty: the certificate made at start. */
export function serverName(table: Table, name: string | undefined): readonly string[] {
  const { serverNames, defaultCertificate } = table.config
  const found = name === undefined ? undefined : (serverNames.get(name) ?? serverNames.get(wildcardOf(name)))
  if (found !== undefined) return found.certificates
  return defaultCertificate === undefined ? [] : [defaultCertificate]
}

/** What the host of an SNI name asks of handshakes; undefined: the defaults. */
export function handshakeTerms(table: Table, name: string | undefined): HandshakeTerms | undefined {
  return hostFor(table, name ?? '')?.handshake
}

/** `*.example.com` for `a.example.com`; a text that is no key of any map where there is no label to replace. */
export function wildcardOf(host: string): string {
  const dot = host.indexOf('.')
  return dot > 0 ? `*${host.slice(dot)}` : ''
}

function pathsOf(table: Table, host: Host): PathTable {
  const held = table.compiled.get(host.name)
  if (held !== undefined && held.host === host) return held.paths
  const paths = compilePaths(host.name, host.routes)
  table.compiled.set(host.name, { host, paths })
  return paths
}
