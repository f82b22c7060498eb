// The plain page at /: what is served, by whom, and what is wrong. No scripts, nothing from elsewhere.
import { formatRef } from '../model/object-ref.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import { html, Html } from './html.ts'
import type { CertificateView, RouteView, RoutingView, StreamView } from './routing-view.ts'

export interface PageFacts {
  readonly version: string
  /** Of the table. */
  readonly tableVersion: number
  readonly notReady: string | undefined
  readonly routing: RoutingView
  readonly diagnostics: readonly Diagnostic[]
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Rows of a table on the page; the API has them all. */
const MOST_ROWS = 1000
const MOST_ENDPOINTS = 20
const SOON_MS = 14 * 86_400_000

const STYLE = new Html(`body{font:14px/1.4 system-ui,sans-serif;margin:2em auto;max-width:90em;padding:0 1em;color:#222;background:#fff}
h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.25em .75em .25em 0;border-bottom:1px solid #ddd;overflow-wrap:break-word}
td code{overflow-wrap:anywhere}
code{font-size:.95em}.error{color:#a00}.warning{color:#850}.quiet{color:#666}`)

export function renderPage({ version, tableVersion, notReady, routing, diagnostics, now }: PageFacts): string {
  const endpoints = new Map(routing.backends.map((backend) => [backend.id, backend.endpoints.map(({ id, state }) => (state === undefined ? id : `${id} (${state})`))]))
  const routes = routing.hosts.flatMap(({ name, routes }) => routes.map((route) => ({ host: name, route })))
  const { streams } = routing
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Narthex</title><style>${STYLE}</style></head><body>
<h1>Narthex ${version}</h1>
<p>${notReady === undefined ? html`Ready` : html`<span class="error">Not ready: ${notReady}</span>`}, table version ${tableVersion},
default backend ${routing.defaultBackend ?? 'none (404)'}. <a href="metrics">metrics</a> <a href="api/routes">routes</a> <a href="api/diagnostics">diagnostics</a></p>
<h2>Routes</h2>
${table(['Host', 'Path', 'Backend', 'Endpoints', 'From'], routes, ({ host, route }) => routeRow(host, route, endpoints))}
${streams.length === 0 ? '' : html`<h2>TCP and UDP services</h2>
${table(['Port', 'PROXY protocol', 'Backend', 'Endpoints', 'From'], streams, (stream) => streamRow(stream, endpoints))}`}
<h2>Diagnostics</h2>
${table(['Reason', 'Object', 'What', 'Fix'], diagnostics, diagnosticRow)}
<h2>Certificates</h2>
${table(['Secret', 'Names', 'Serves', 'Expires', 'SHA-256'], routing.certificates, (certificate) => certificateRow(certificate, now))}
</body></html>
`
  return page.text
}

function table<T>(head: readonly string[], items: readonly T[], row: (item: T) => Html): Html {
  if (items.length === 0) return html`<p class="quiet">None.</p>`
  const cut = items.length > MOST_ROWS ? html`<p class="quiet">${items.length - MOST_ROWS} more in the API.</p>` : html``
  return html`<table><tr>${head.map((name) => html`<th>${name}</th>`)}</tr>
${items.slice(0, MOST_ROWS).map(row)}</table>${cut}`
}

function routeRow(host: string, route: RouteView, endpoints: ReadonlyMap<string, readonly string[]>): Html {
  const { kind, namespace, name } = route.source
  const redirect = route.tlsRedirect === undefined ? '' : html` <span class="quiet">http → https ${route.tlsRedirect}</span>`
  const backend = route.backend === null ? html`<span class="error">answers ${route.status ?? ''}</span>` : html`${route.backend}`
  const reached = route.backend === null ? [] : (endpoints.get(route.backend) ?? [])
  const more = reached.length > MOST_ENDPOINTS ? ` and ${reached.length - MOST_ENDPOINTS} more` : ''
  const shown = route.backend !== null && reached.length === 0 ? html`<span class="error">none ready: 503</span>` : html`${reached.slice(0, MOST_ENDPOINTS).join(' ')}${more}`
  return html`<tr><td>${host}</td><td><code>${route.path}</code> ${route.pathType}${redirect}</td><td>${backend}</td><td>${shown}</td><td>${kind} ${namespace}/${name}</td></tr>
`
}

function streamRow({ protocol, port, backend, proxyProtocol, source: { kind, namespace, name } }: StreamView, endpoints: ReadonlyMap<string, readonly string[]>): Html {
  const reached = endpoints.get(backend) ?? []
  const proxy = [proxyProtocol.in ? 'in' : '', proxyProtocol.out ? 'out' : ''].join(' ').trim()
  return html`<tr><td>${protocol} ${port}</td><td>${proxy}</td><td>${backend}</td><td>${reached.slice(0, MOST_ENDPOINTS).join(' ')}</td><td>${kind} ${namespace}/${name}</td></tr>
`
}

function diagnosticRow({ severity, reason, object, field, message, fix }: Diagnostic): Html {
  return html`<tr><td class="${severity}">${reason}</td><td>${formatRef(object)}<br><code>${field}</code></td><td>${message}</td><td>${fix}</td></tr>
`
}

function certificateRow({ id, names, notAfter, fingerprint, serves }: CertificateView, now: number): Html {
  const left = Date.parse(notAfter) - now
  const state = left < 0 ? 'error' : left < SOON_MS ? 'warning' : 'quiet'
  return html`<tr><td>${id}</td><td>${names.join(' ')}</td><td>${serves.join(' ')}</td><td class="${state}">${notAfter}</td><td class="quiet"><code>${fingerprint.slice(0, 23)}…</code></td></tr>
`
}
