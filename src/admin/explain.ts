// What would happen to a request, and why: which rule wins, why the others do not, what the answer is made of. Pure.
import { canonicalAddress } from '../base/address-list.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import { formatRef } from '../model/object-ref.ts'
import type { ClientCertificatePolicy } from '../model/policy.ts'
import type { Route, RoutingConfig } from '../model/routing.ts'
import type { ProxySettings } from '../model/settings.ts'
import { candidates, type Candidate, type Verdict } from '../table/candidates.ts'
import { compileTable, hostFor, match, serverName, type Table } from '../table/table.ts'
import { backendView, certificateView, routeView, type BackendView, type CertificateView, type RouteView } from './routing-view.ts'
import type { AdminView, AskedRequest } from './view.ts'

export interface ExplainRequest {
  /** `http://host[:port]/path` or `https://…`. */
  readonly url: string
  readonly method: string
  /** Lower-case names. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** IP address of the client: says which endpoint it would get. */
  readonly from?: string
}

export interface Explanation {
  readonly request: { readonly scheme: 'http' | 'https'; readonly method: string; readonly host: string; readonly path: string }
  /** One sentence. */
  readonly outcome: string
  /** Of an answer that needs no backend; null: the backend decides. */
  readonly status: number | null
  readonly location: string | null
  readonly route: (RouteView & { readonly host: string }) | null
  readonly backend: BackendView | null
  /** Where `from` leads; id null: it is not known before. null: nobody asked, or no backend is reached. */
  readonly endpoint: { readonly id: string | null; readonly why: string } | null
  /** null on plain HTTP. */
  readonly certificate: CertificateView | { readonly id: null; readonly why: string } | null
  /** What the route asks of the request beside forwarding, one sentence each. */
  readonly filters: readonly string[]
  /** Best first; at most MOST_CANDIDATES, the winner always among them. */
  readonly candidates: readonly { readonly host: string; readonly verdict: Verdict; readonly why: string; readonly route: RouteView }[]
  readonly candidatesLeftOut: number
  /** What is wrong with the object whose rule wins (all objects of the host if none does), and errors elsewhere that may close it; at most MOST_DIAGNOSTICS. */
  readonly diagnostics: readonly Diagnostic[]
}

export interface ExplainContext extends Pick<AdminView, 'hostName' | 'normalisePath' | 'endpointFor' | 'diagnostics'> {
  readonly config: RoutingConfig
  readonly settings: ProxySettings
}

const MOST_CANDIDATES = 200
const MOST_DIAGNOSTICS = 20
const URL_FORM = /^(https?):\/\/([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?$/i

/** Throws a RangeError with a sentence for the user when the URL can't be read. */
export function explain({ url, method, headers, from }: ExplainRequest, context: ExplainContext): Explanation {
  const parts = URL_FORM.exec(url)
  if (parts === null) throw new RangeError('the URL must begin with http:// or https:// and a host')
  const [, scheme = '', authority = '', rawPath = '', query = ''] = parts
  const asked = headers.findLast(([name]) => name === 'host')?.[1] ?? authority
  const host = context.hostName(asked)
  const sni = context.hostName(authority)
  if (host === undefined || host === '') throw new RangeError(`"${asked}" is no host name: the answer is 400`)
  const path = context.normalisePath(rawPath === '' ? '/' : rawPath)
  if (path === undefined) throw new RangeError('the path is ambiguous or climbs above the root: the answer is 400')
  const isTls = scheme.toLowerCase() === 'https'
  const table = compileTable(context.config)
  const unread = isTls ? passedOn(table, sni, host) : undefined
  if (unread !== undefined) return { request: { scheme: 'https', method, host, path }, ...unread, location: null, route: null, endpoint: null, filters: [], candidates: [], candidatesLeftOut: 0, diagnostics: [] }
  const route = match(table, host, path)
  const all = candidates(table, host, path)
  const shown = withWinner(all)
  const target = `${rawPath === '' ? '/' : rawPath}${query}`
  const address = from === undefined ? undefined : canonicalAddress(from)
  if (from !== undefined && address === undefined) throw new RangeError(`"${from}" is no IP address`)
  const rules = hostFor(table, host)?.clientCertificates
  const found = refusedClients(rules, isTls) ?? outcome(route, { config: context.config, settings: context.settings, isTls, host, path, target, candidates: all })
  return {
    request: { scheme: isTls ? 'https' : 'http', method, host, path },
    ...found,
    endpoint: address === undefined || found.backend === null ? null : endpointOf(found.backend.id, route, { address, host, path, target, headers }, context),
    route: route === undefined ? null : { ...routeView(route), host: all.find(({ verdict }) => verdict === 'wins')?.host ?? host },
    certificate: isTls ? certificateFor(table, sni) : null,
    filters: [...clientFilters(rules, isTls), ...(route === undefined ? [] : filtersOf(route, context.settings, context.config))],
    candidates: shown.map(({ host, verdict, why, route }) => ({ host, verdict, why, route: routeView(route) })),
    candidatesLeftOut: all.length - shown.length,
    diagnostics: diagnosticsOf(route, all, context.diagnostics()),
  }
}

/** Of the winner's own object all, without a winner of all objects of the host; of what can close a path besides (the ConfigMap too) the errors, if it is closed. */
function diagnosticsOf(route: Route | undefined, candidates: readonly Candidate[], found: readonly Diagnostic[]): readonly Diagnostic[] {
  const ofHost = new Set(candidates.filter(({ verdict }) => verdict !== 'host-outranked').map((candidate) => formatRef(candidate.route.source.object)))
  const own = route === undefined ? ofHost : new Set([formatRef(route.source.object)])
  const isClosed = route !== undefined && route.backend === undefined
  const mayClose = ({ severity, object }: Diagnostic) => isClosed && severity === 'error' && (object.kind === 'ConfigMap' || ofHost.has(formatRef(object)))
  return found.filter((each) => own.has(formatRef(each.object)) || mayClose(each)).slice(0, MOST_DIAGNOSTICS)
}

/** A host that lets in nobody, whatever certificate they show. */
function refusedClients(rules: ClientCertificatePolicy | undefined, isTls: boolean): Outcome | undefined {
  const none = { status: 403, location: null, backend: null }
  if (rules === 'denied') return { outcome: 'certificates of clients are asked for that can not be checked: 403', ...none }
  if (!isTls && rules?.matchSubject !== undefined) return { outcome: 'the subject of a certificate is asked for, and over plain HTTP there is none: 403', ...none }
  return undefined
}

function clientFilters(rules: ClientCertificatePolicy | undefined, isTls: boolean): string[] {
  if (rules === undefined || rules === 'denied' || !isTls || rules.verify === 'off') return []
  const others = rules.errorPage === undefined ? 'get 400' : 'are sent to auth-tls-error-page'
  const filters = [rules.verify === 'on' ? `clients without a certificate that is right ${others}` : `clients with a certificate that is wrong ${others} (${rules.verify})`]
  if (rules.matchSubject !== undefined) filters.push('clients whose subject does not match auth-tls-match-cn get 403')
  return filters
}

/** TLS that is not ended here, or that would have to be for a host where it is not. */
function passedOn(table: Table, sni: string | undefined, host: string): Pick<Explanation, 'outcome' | 'status' | 'backend' | 'certificate'> | undefined {
  const { config } = table
  const named = hostFor(table, sni ?? '')?.passthrough
  if (named === undefined) {
    if (hostFor(table, host)?.passthrough === undefined) return undefined
    return { outcome: `TLS of ${host} is not ended here, so a request for it on a connection for ${sni ?? 'no name'} is misdirected: 421`, status: 421, backend: null, certificate: certificateFor(table, sni) }
  }
  const certificate = { id: null, why: 'the backend shows its own, since TLS is not ended here' }
  const found = named.backend === undefined ? undefined : config.backends.get(named.backend)
  if (found === undefined || found.endpoints.length === 0) return { outcome: 'TLS goes on as it comes, but no backend is there: the connection is closed', status: null, backend: found === undefined ? null : backendView(found), certificate }
  return { outcome: `TLS goes as it comes to one of ${found.endpoints.length} endpoint${found.endpoints.length === 1 ? '' : 's'} of ${found.id}, by ${found.scheduler}: what is asked for in it is not known here`, status: null, backend: backendView(found), certificate }
}

function endpointOf(backend: string, route: Route | undefined, request: AskedRequest, { endpointFor }: ExplainContext): Explanation['endpoint'] {
  const cookie = route?.policy.affinity?.name
  if (cookie !== undefined) return { id: null, why: `the cookie ${cookie} decides, whoever sends it` }
  const found = endpointFor(backend, request)
  return found === undefined ? null : { id: found.endpoint ?? null, why: found.why }
}

interface OutcomeFacts {
  readonly config: RoutingConfig
  readonly settings: ProxySettings
  readonly isTls: boolean
  readonly host: string
  readonly path: string
  readonly target: string
  readonly candidates: readonly Candidate[]
}

type Outcome = Pick<Explanation, 'outcome' | 'status' | 'location' | 'backend'>

function outcome(route: Route | undefined, facts: OutcomeFacts): Outcome {
  if (route === undefined) {
    const why = facts.candidates.length === 0 ? `no rule names host ${facts.host}` : `no path of its host takes ${facts.path}`
    if (facts.config.defaultBackend === undefined) return { outcome: `${why}, and there is no default backend: 404`, status: 404, location: null, backend: null }
    return forward(`${why}: the default backend answers`, facts.config.defaultBackend, facts.config)
  }
  const redirect = route.policy.tlsRedirect
  const isExempt = facts.settings.noTlsRedirectPaths.some((prefix) => prefix !== '' && facts.path.startsWith(prefix))
  if (redirect !== undefined && !facts.isTls && !isExempt) {
    const port = facts.settings.publicHttpsPort === 443 ? '' : `:${facts.settings.publicHttpsPort}`
    const uri = facts.target.endsWith('/') ? facts.target.slice(0, -1) : facts.target
    const location = `https://${facts.host}${port}${uri}`
    return { outcome: `plain HTTP is redirected to https with ${redirect.status}`, status: redirect.status, location, backend: null }
  }
  if (route.backend === undefined) {
    const why = route.status === 404 ? 'the rule has a backend that is no Service' : 'nothing may serve the path (its Service or port is missing, or what was asked for can not be had)'
    return { outcome: `${why}: ${route.status}`, status: route.status, location: null, backend: null }
  }
  return forward('forwarded', route.backend, facts.config)
}

function forward(why: string, id: string, config: RoutingConfig): Outcome {
  const backend = config.backends.get(id)
  const count = backend?.endpoints.length ?? 0
  const view = backend === undefined ? null : backendView(backend)
  if (count === 0) return { outcome: `${why}, but ${id} has no ready endpoints: 503`, status: 503, location: null, backend: view }
  return { outcome: `${why}: one of ${count} endpoint${count === 1 ? '' : 's'} of ${id}, by ${backend?.scheduler}`, status: null, location: null, backend: view }
}

function certificateFor(table: Table, name: string | undefined): Explanation['certificate'] {
  for (const id of serverName(table, name)) {
    const certificate = table.config.certificates.get(id)
    if (certificate !== undefined) return certificateView(certificate, name === undefined ? [] : [name])
  }
  return { id: null, why: 'the one made at start, since no certificate covers the name' }
}

function filtersOf({ policy, backend }: Route, { noTlsRedirectPaths }: ProxySettings, config: RoutingConfig): string[] {
  const filters: string[] = []
  if (policy.tlsRedirect !== undefined) {
    const except = noTlsRedirectPaths.length === 0 ? '' : `, but not for ${noTlsRedirectPaths.join(', ')}`
    filters.push(`plain HTTP is redirected to https with ${policy.tlsRedirect.status}${except}`)
  }
  const seconds = backend === undefined ? undefined : config.backends.get(backend)?.affinitySeconds
  if (policy.affinity !== undefined) filters.push(`a session stays with its endpoint by the cookie ${policy.affinity.name} (${policy.affinity.mode})`)
  else if (seconds !== undefined) filters.push(`a client stays with its endpoint for ${seconds} s after its last request`)
  if (policy.retries !== undefined) filters.push('requests are tried again on terms of its own (proxy-next-upstream)')
  if (policy.timeouts !== undefined) filters.push(`timeouts of its own: ${Object.entries(policy.timeouts).map(([what, ms]) => `${what} ${ms / 1000} s`).join(', ')}`)
  return filters
}

/** Winner and losers by verdict first, so that a cut takes those that did not even match. */
function withWinner(all: readonly Candidate[]): readonly Candidate[] {
  if (all.length <= MOST_CANDIDATES) return all
  const order: readonly Verdict[] = ['wins', 'outranked', 'host-outranked', 'path-differs']
  return all.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict)).slice(0, MOST_CANDIDATES)
}
