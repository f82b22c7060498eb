// A routing configuration and its diagnostics as text, one fact a line: what people and golden tests read.
import type { BackendProtocol } from '../model/backend-protocol.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import { formatRef } from '../model/object-ref.ts'
import { probeText } from '../model/probe.ts'
import type { CookieAffinity, RetryConditions, RouteRetries, RouteTimeouts } from '../model/policy.ts'
import type { Backend, Host, Route, RoutingConfig } from '../model/routing.ts'
import { hashKeyText } from './balancing.ts'

/**
 * `http app.example/api prefix -> shop/web:80 [10.0.0.1:8080 10.0.0.2:8080]`: served on both listeners;
 * `https …`: plain HTTP is redirected. Hosts, then names, in alphabetical order; routes in the order they are tried.
 */
export function formatRouting(config: RoutingConfig): readonly string[] {
  const lines: string[] = []
  for (const host of sorted(config.hosts.values(), (host) => host.name)) {
    if (host.routes.length === 0) lines.push(`http ${host.name} (no routes)`)
    for (const route of host.routes) lines.push(formatRoute(config, host, route))
    lines.push(...formatHandshake(host))
    if (host.passthrough !== undefined) lines.push(`tls ${host.name} as it comes${host.passthrough.proxyOut ? ' to PROXY' : ''} -> ${host.passthrough.backend === undefined ? 'closed' : formatBackend(config, host.passthrough.backend)}`)
  }
  for (const [name, entry] of sorted(config.serverNames, ([name]) => name)) lines.push(`certificate ${name} -> ${entry.certificates.join(' ')}`)
  for (const stream of sorted(config.streams.values(), ({ protocol, port }) => `${protocol} ${String(port).padStart(5, '0')}`)) {
    const proxy = [stream.proxyIn ? 'from PROXY' : '', stream.proxyOut ? 'to PROXY' : ''].filter((word) => word !== '').join(' ')
    lines.push(`${stream.protocol.toLowerCase()} port ${stream.port}${proxy === '' ? '' : ` ${proxy}`} -> ${formatBackend(config, stream.backend)}`)
  }
  if (config.defaultBackend !== undefined) lines.push(`default backend -> ${formatBackend(config, config.defaultBackend)}`)
  if (config.defaultCertificate !== undefined) lines.push(`default certificate -> ${config.defaultCertificate}`)
  return lines
}

/** `clients app.example -> on, depth 1, CN=(alice|bob)`, `handshake app.example -> HIGH`. */
function formatHandshake({ name, handshake, clientCertificates: rules }: Host): readonly string[] {
  const lines: string[] = []
  if (rules === 'denied') lines.push(`clients ${name} -> denied`)
  else if (rules !== undefined) {
    const crl = handshake?.clientCa?.revoked === undefined ? '' : ', with a revocation list'
    const page = rules.errorPage === undefined ? '' : `, else ${rules.errorPage}`
    lines.push(`clients ${name} -> ${rules.verify}, depth ${rules.depth}${crl}${rules.passCertificate ? ', passed on' : ''}${rules.matchSubject === undefined ? '' : `, ${rules.matchSubject}`}${page}`)
  }
  const { ciphers, preferServerCiphers, versions, http1Only } = handshake ?? {}
  const order = preferServerCiphers === undefined ? '' : ` in the ${preferServerCiphers ? 'server' : 'client'}'s order`
  const range = versions === undefined ? '' : `, ${versions.minVersion} to ${versions.maxVersion}`
  const http = http1Only === true ? ', no HTTP/2' : ''
  if (`${ciphers ?? ''}${order}${range}${http}` !== '') lines.push(`handshake ${name} -> ${ciphers ?? 'default ciphers'}${order}${range}${http}`)
  return lines
}

export function formatRoute(config: RoutingConfig, host: Host, route: Route): string {
  const scheme = route.policy.tlsRedirect === undefined ? 'http' : 'https'
  const answer = route.backend === undefined ? String(route.status) : formatBackend(config, route.backend)
  return `${scheme} ${host.name}${route.path} ${route.pathType.toLowerCase()} -> ${answer}${formatAffinity(route.policy.affinity)}${formatTimeouts(route.policy.timeouts)}${formatRetries(route.policy.retries)}`
}

/** ` sticky by cookie INGRESSCOOKIE mode=balanced path=/`. */
function formatAffinity(affinity: CookieAffinity | undefined): string {
  if (affinity === undefined) return ''
  const { name, ...rest } = affinity
  return ` sticky by cookie ${name} ${Object.entries(rest).map(([key, value]) => (value === true ? key : `${key}=${value}`)).join(' ')}`
}

/** ` within connect=5s read=3600s`. */
function formatTimeouts(timeouts: RouteTimeouts | undefined): string {
  return timeouts === undefined ? '' : ` within ${Object.entries(timeouts).map(([what, ms]) => `${what}=${ms / 1000}s`).join(' ')}`
}

/** ` tried again on error 503 tries=2 within=10s`. */
function formatRetries(retries: RouteRetries | undefined): string {
  if (retries === undefined) return ''
  const { on, tries, within } = retries
  const words = on === undefined ? 'as always' : `on ${retryWords(on).join(' ') || 'nothing'}`
  return ` tried again ${words}${tries === undefined ? '' : ` tries=${tries}`}${within === undefined ? '' : ` within=${within / 1000}s`}`
}

function retryWords({ statuses, ...rest }: RetryConditions): readonly string[] {
  return [...Object.entries(rest).flatMap(([word, isOn]) => (isOn ? [word] : [])), ...statuses.map(String)]
}

function formatBackend(config: RoutingConfig, id: string): string {
  const backend = config.backends.get(id)
  const endpoints = (backend?.endpoints ?? []).map((endpoint) => (endpoint.weight === 1 ? endpoint.id : `${endpoint.id}*${endpoint.weight}`))
  const name = backend?.externalName === undefined ? '' : ` (${backend.externalName})`
  return `${id}${name}${backend === undefined ? '' : formatScheduler(backend)} [${endpoints.join(' ')}]${formatProtocol(backend?.protocol)}${backend?.probe === undefined ? '' : ` checked ${probeText(backend.probe)}`}${backend?.affinitySeconds === undefined ? '' : ` sticky by client for ${backend.affinitySeconds} s`}`
}

/** ` in HTTP/2`, ` in TLS to web.dev.svc, verified to depth 1, with a certificate`; nothing for HTTP/1.1 in the clear. */
function formatProtocol(protocol: BackendProtocol | undefined): string {
  if (protocol === undefined) return ''
  const { version, tls, asClient } = protocol
  const words = version === 2 ? ' in HTTP/2' : ''
  if (tls === undefined) return words
  const { name, sendName, verify, certificate, ciphers, versions } = tls
  const parts = [
    `${words} in TLS${sendName || verify !== undefined ? ` to ${name}` : ''}${sendName ? ' by SNI' : ''}`,
    verify === undefined ? '' : `verified to depth ${verify.depth}${verify.ca.revoked === undefined ? '' : ' with a revocation list'}`,
    certificate === undefined ? '' : 'with a certificate',
    ciphers ?? '',
    versions === undefined ? '' : `${versions.minVersion} to ${versions.maxVersion}`,
    asClient === true ? 'for requests in TLS' : '',
  ]
  return parts.filter((part) => part !== '').join(', ')
}

/** ` by mh of {uri} with fallback=true`; nothing for rr. */
function formatScheduler({ scheduler, schedulerOptions, hashKey }: Backend): string {
  const key = hashKey === undefined ? '' : ` of ${hashKeyText(hashKey)}`
  const options = schedulerOptions === undefined ? '' : ` with ${Object.entries(schedulerOptions).map(([name, value]) => `${name}=${value}`).join(' ')}`
  return scheduler === 'rr' ? '' : ` by ${scheduler}${key}${options}`
}

/** `warning PathConflict Ingress dev/web spec.rules[0]: message Fix: fix` */
export function formatDiagnostic({ severity, reason, object, field, message, fix }: Diagnostic): string {
  return `${severity} ${reason} ${formatRef(object)} ${field}: ${message} Fix: ${fix}`
}

function sorted<T>(items: Iterable<T>, key: (item: T) => string): readonly T[] {
  return [...items].sort((a, b) => (key(a) < key(b) ? -1 : 1))
}
