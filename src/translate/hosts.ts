// Step 6: puts together what all Ingresses say of a host. The oldest wins a path; the others are told.
import type { Diagnostic } from '../model/diagnostic.ts'
import { formatRef } from '../model/object-ref.ts'
import { NO_POLICY, type Policy, type TlsRedirect } from '../model/policy.ts'
import type { Host, Route } from '../model/routing.ts'
import type { Contribution, Draft, HostMemory, HostsMemory, PathDraft, Resolution, View } from './draft.ts'
import { groupHosts } from './host-groups.ts'
import { ANY_HOST, wildcardOf } from './host-name.ts'
import { remember, sameList, sameMap } from './memory.ts'
import { passThrough } from './passthrough.ts'
import { quote, warning } from './report.ts'

export function hosts(view: View, draft: Draft): void {
  const { hosts, diagnostics } = remember(view.memo.hosts, [draft.ingresses, draft.resolutions, draft.tlsHosts, draft.hostTls], (before) => assembleAll(view.memo.hostEntries, draft, view.options.redirects.status, before))
  draft.hosts = hosts
  draft.diagnostics.push(diagnostics)
}

function assembleAll(entries: Map<string, HostMemory>, { ingresses, resolutions, tlsHosts, hostTls }: Draft, status: TlsRedirect['status'], before: HostsMemory | undefined): HostsMemory {
  const groups = groupHosts(ingresses, before?.groups)
  // Backends and TLS may concern any host; if neither has changed, only the hosts of changed Ingresses can have.
  const touched = before?.resolutions === resolutions && before.tlsHosts === tlsHosts && before.hostTls === hostTls ? groups.touched : undefined
  const hosts = new Map(touched === undefined ? [] : before?.hosts)
  const conflicts = new Map(touched === undefined ? [] : before?.conflicts)
  for (const name of touched ?? groups.byHost.keys()) {
    const contributions = groups.byHost.get(name)
    if (contributions === undefined) {
      hosts.delete(name)
      conflicts.delete(name)
      continue
    }
    const tls = name !== ANY_HOST && (tlsHosts.has(name) || tlsHosts.has(wildcardOf(name) ?? ''))
    let entry = entries.get(name)
    const asked = hostTls.get(name)
    if (entry === undefined || entry.hostTls !== asked || !isCurrent(entry, contributions, resolutions, tls)) {
      const { host, diagnostics } = withTls(assemble(name, contributions, { resolutions, tls, status }), asked)
      entry = { contributions, resolutions: resolutionsOf(contributions, resolutions), tls, hostTls: asked, host, diagnostics }
      entries.set(name, entry)
    }
    hosts.set(name, entry.host)
    if (entry.diagnostics.length > 0) conflicts.set(name, entry.diagnostics)
    else conflicts.delete(name)
  }
  if (entries.size > hosts.size) for (const name of entries.keys()) if (!hosts.has(name)) entries.delete(name)
  return { groups, resolutions, tlsHosts, hostTls, hosts: sameMap(before?.hosts, hosts), conflicts, diagnostics: [...conflicts.keys()].sort().flatMap((name) => conflicts.get(name) ?? []) }
}

interface Assembled {
  readonly host: Host
  readonly diagnostics: readonly Diagnostic[]
}

function withTls({ host, diagnostics }: Assembled, asked: HostMemory['hostTls']): Assembled {
  if (asked === undefined) return { host, diagnostics }
  const { passthrough, ...rest } = asked
  if (passthrough === undefined) return { host: { ...host, ...rest }, diagnostics }
  const passed = passThrough(host, passthrough)
  return { host: { ...host, ...rest, passthrough: passed.passthrough }, diagnostics: [...diagnostics, ...passed.diagnostics] }
}

/** Compares in place: it runs for every host whenever any Ingress has changed. */
function isCurrent(entry: HostMemory, contributions: readonly Contribution[], resolutions: Draft['resolutions'], tls: boolean): boolean {
  if (entry.tls !== tls || !sameList(entry.contributions, contributions)) return false
  let index = 0
  for (const { paths, fallback } of contributions) {
    for (const path of paths) if (entry.resolutions[index++] !== resolutions.get(path.reference.key)) return false
    if (fallback !== undefined && entry.resolutions[index++] !== resolutions.get(fallback.reference.key)) return false
  }
  return true
}

function resolutionsOf(contributions: readonly Contribution[], resolutions: Draft['resolutions']): HostMemory['resolutions'] {
  return contributions.flatMap(({ paths, fallback }) => [...paths, ...(fallback === undefined ? [] : [fallback])].map((path) => resolutions.get(path.reference.key)))
}

interface Claim {
  readonly contribution: Contribution
  readonly path: PathDraft
}

interface Surroundings {
  readonly resolutions: Draft['resolutions']
  /** The host has a certificate, or should have one. */
  readonly tls: boolean
  /** Of redirects to https. */
  readonly status: TlsRedirect['status']
}

function assemble(name: string, contributions: readonly Contribution[], surroundings: Surroundings): Assembled {
  const claims = new Map<string, Claim>()
  const diagnostics: Diagnostic[] = []
  for (const contribution of contributions) {
    for (const path of contribution.paths) {
      const key = `${path.pathType} ${path.path}`
      const winner = claims.get(key)
      if (winner === undefined) claims.set(key, { contribution, path })
      else diagnostics.push(conflict(name, contribution, path, winner))
    }
  }
  // The default backend of an Ingress answers what no rule of the host takes, so any real `/` goes before it.
  for (const contribution of contributions) {
    if (contribution.fallback !== undefined && !claims.has('Prefix /')) claims.set('Prefix /', { contribution, path: contribution.fallback })
  }
  const closed = contributions.some((contribution) => contribution.policy.closesHosts)
  const routes = [...claims.values()].map((claim) => routeOf(claim, surroundings, closed))
  return { host: { name, routes: routes.sort(bestFirst) }, diagnostics }
}

const CLOSED: Resolution = Object.freeze({ backend: undefined, status: 503 })

function routeOf({ contribution, path }: Claim, surroundings: Surroundings, hostClosed: boolean): Route {
  const { policy, object, createdAt } = contribution
  const { service } = path.reference.backend
  const closed = hostClosed || policy.closesPaths || policy.closesHosts
  const resolution = closed ? CLOSED : (surroundings.resolutions.get(path.reference.key) ?? CLOSED)
  return {
    path: path.path,
    pathType: path.pathType,
    backend: resolution.backend,
    status: resolution.backend === undefined ? resolution.status : 503,
    policy: policyOf(contribution, path.path, surroundings),
    source: { object, field: path.field, createdAt, service: service?.name ?? '', servicePort: String(service?.port ?? '') },
  }
}

/** One object for all routes that redirect with the same status, so that equal stays identical. */
const TO_HTTPS: Readonly<Record<TlsRedirect['status'], Policy>> = { 301: toHttps(301), 302: toHttps(302), 307: toHttps(307), 308: toHttps(308) }

function toHttps(status: TlsRedirect['status']): Policy {
  return Object.freeze({ tlsRedirect: Object.freeze({ status }) })
}

function policyOf({ policy, affinity, timeouts, retries }: Contribution, path: string, { tls, status }: Surroundings): Policy {
  const plain = policy.forceSslRedirect || (tls && policy.sslRedirect) ? TO_HTTPS[status] : NO_POLICY
  if (affinity === undefined && timeouts === undefined && retries === undefined) return plain
  return {
    ...plain,
    ...(affinity !== undefined && { affinity: { ...affinity, path: affinity.path ?? cookiePath(path) } }),
    ...(timeouts !== undefined && { timeouts }),
    ...(retries !== undefined && { retries }),
  }
}

/** Of the rule, unless it has characters that end an attribute. */
function cookiePath(path: string): string {
  return /[;\s]/.test(path) ? '/' : path
}

/** Exact before Prefix, longer before shorter: the first that matches a request is the right one. */
function bestFirst(a: Route, b: Route): number {
  if (a.pathType !== b.pathType) return a.pathType === 'Exact' ? -1 : 1
  return b.path.length - a.path.length || (a.path < b.path ? -1 : 1)
}

function conflict(host: string, loser: Contribution, path: PathDraft, winner: Claim): Diagnostic {
  const own = winner.contribution === loser
  const where = own ? `${winner.path.field} of the same Ingress` : `${formatRef(winner.contribution.object)} (${winner.path.field}), which is older`
  return warning('PathConflict', loser.object, {
    field: path.field,
    message: `${path.pathType} path ${quote(path.path)} of host ${quote(host)} belongs to ${where}; this entry is not served.`,
    fix: own ? 'Remove one of the two.' : 'Remove it from one of the two Ingresses, or use another host or path.',
  })
}
