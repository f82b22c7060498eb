// Why a request went where it went: every route that its host name could have meant, best first, each with its verdict. For explain.
import type { Host, Route } from '../model/routing.ts'
import { pathMatches } from './paths.ts'
import { comparePrecedence, decidedBy, precedenceOf, type Precedence } from './precedence.ts'
import { wildcardOf, type Table } from './table.ts'

export type Verdict = 'wins' | 'path-differs' | 'outranked' | 'host-outranked'

export interface Candidate {
  /** As the rule has it: `a.example.com`, `*.example.com` or `*`. */
  readonly host: string
  readonly route: Route
  readonly verdict: Verdict
  /** One sentence for people. */
  readonly why: string
}

const RANKED_BY: Readonly<Record<keyof Precedence, string>> = {
  hostRank: 'its host is less exact',
  pathType: 'an Exact path goes before a Prefix',
  pathLength: 'a longer path matches',
  createdAt: 'the same path is in an older Ingress',
  object: 'the same path is in an Ingress of the same age whose namespace/name sorts first',
  field: 'the same path is written earlier in the Ingress',
}

/** Same arguments as `match`; at most one candidate wins, and it is the one that `match` answers. */
export function candidates(table: Table, host: string, path: string): readonly Candidate[] {
  const names = new Set([host, wildcardOf(host), '*'])
  const hosts = [...names].map((name) => table.config.hosts.get(name)).filter((found) => found !== undefined)
  return hosts.flatMap((found, rank) => (rank === 0 ? judge(found, path) : outranked(found, hosts[0] ?? found)))
}

function judge(host: Host, path: string): Candidate[] {
  let winner: Route | undefined
  return sorted(host).map((route) => {
    if (!pathMatches(route, path)) return { host: host.name, route, verdict: 'path-differs', why: whyNot(route) }
    if (winner === undefined) {
      winner = route
      return { host: host.name, route, verdict: 'wins', why: `${route.pathType} ${route.path} is the best match of host ${host.name}` }
    }
    const by = decidedBy(precedenceOf(host.name, winner), precedenceOf(host.name, route))
    return { host: host.name, route, verdict: 'outranked', why: by === undefined ? 'an equal route comes first' : RANKED_BY[by] }
  })
}

function outranked(host: Host, by: Host): Candidate[] {
  const why = `host ${by.name} is more exact and answers for all its paths`
  return sorted(host).map((route) => ({ host: host.name, route, verdict: 'host-outranked', why }))
}

function whyNot(route: Route): string {
  return route.pathType === 'Exact' ? `the path is not exactly ${route.path}` : `the path is not ${route.path} nor below it`
}

function sorted(host: Host): Route[] {
  return host.routes.toSorted((a, b) => comparePrecedence(precedenceOf(host.name, a), precedenceOf(host.name, b)))
}
