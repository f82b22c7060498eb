// Hosts whose TLS goes to their backend as it comes: the backend of their root path, and what else is asked for such a host in vain.
import type { Diagnostic } from '../model/diagnostic.ts'
import { formatRef, type ObjectRef } from '../model/object-ref.ts'
import type { Host, Passthrough, Route } from '../model/routing.ts'
import type { AskedPassthrough } from './annotations/read-passthrough.ts'
import type { IngressDraft } from './draft.ts'
import { error, quote, warning } from './report.ts'

/** Of a host, by the oldest Ingress that asks for it. */
export interface HostPassthrough {
  readonly asked: AskedPassthrough
  readonly by: ObjectRef
}

/** `ingresses` in order of age. Looked through when first asked. */
export function oldestByHost(ingresses: readonly IngressDraft[]): (host: string) => IngressDraft | undefined {
  let oldest: Map<string, IngressDraft> | undefined
  return (host) => {
    oldest ??= new Map(ingresses.toReversed().flatMap((ingress) => ingress.contributions.map((contribution) => [contribution.host, ingress] as const)))
    return oldest.get(host)
  }
}

/** Only for hosts that began in the Ingress' own namespace: nobody may lead the TLS of others elsewhere. `first`: the oldest Ingress with the host. */
export function mayPassThrough(host: string, { field }: AskedPassthrough, ingress: IngressDraft, first: IngressDraft | undefined, diagnostics: Diagnostic[]): boolean {
  if (first === undefined || first.namespace === ingress.namespace) return true
  diagnostics.push(warning('PassthroughConflict', ingress.object, { field, message: `Host ${quote(host)} belongs to ${formatRef(first.object)} of another namespace; ssl-passthrough means nothing for it.`, fix: 'Use another host, or set the annotation there.' }))
  return false
}

/** `hosts`: those with passthrough. */
export function needlessSecrets(ingresses: readonly IngressDraft[], hosts: ReadonlyMap<string, HostPassthrough>): readonly Diagnostic[] {
  if (hosts.size === 0) return []
  return ingresses.flatMap(({ object, tls }) =>
    tls.flatMap((entry, index) => {
      const host = entry.secretName === '' ? undefined : entry.hosts.map((each) => each.toLowerCase()).find((each) => hosts.has(each))
      if (host === undefined) return []
      return [
        warning('PassthroughConflict', object, {
          field: `spec.tls[${index}].secretName`,
          message: `TLS of host ${quote(host)} goes to its backend as it comes (${byWhom(hosts.get(host))}); the certificate in Secret ${quote(entry.secretName)} is not shown for it.`,
          fix: 'Remove secretName (the entry without it still redirects plain HTTP), or remove ssl-passthrough.',
        }),
      ]
    }),
  )
}

function byWhom(passthrough: HostPassthrough | undefined): string {
  return passthrough === undefined ? '' : `ssl-passthrough of ${formatRef(passthrough.by)}`
}

export function clientCertificatesInVain(host: string, field: string, object: ObjectRef): Diagnostic {
  return error('PassthroughConflict', object, {
    field,
    message: `Host ${quote(host)} has ssl-passthrough, so certificates of its clients can't be checked here; so that nobody is let in unchecked, all its paths answer 403.`,
    fix: 'Let the backend check them and remove the annotations auth-tls-*, or remove ssl-passthrough.',
  })
}

export function passthroughIsOff(field: string, object: ObjectRef): Diagnostic {
  return error('AnnotationInvalid', object, {
    field,
    message: 'Narthex was started with --enable-ssl-passthrough=false; so that nothing is read that should not be, all paths of its hosts answer 403.',
    fix: 'Start Narthex without that option, or remove the annotation.',
  })
}

/** `host` has its routes. As in ingress-nginx the backend of the root path gets all. */
export function passThrough(host: Host, { asked, by }: HostPassthrough): { readonly passthrough: Passthrough; readonly diagnostics: readonly Diagnostic[] } {
  const roots = host.routes.filter((route) => route.path === '/' && route.source.object.namespace === by.namespace)
  const root = roots.find(({ pathType }) => pathType === 'Prefix') ?? roots[0]
  const passthrough = { backend: root?.backend, proxyOut: asked.proxyOut }
  const others = host.routes.filter((route) => route !== root && route.backend !== root?.backend)
  const found = root?.backend === undefined ? [noBackend(host, asked, by)] : others.length > 0 ? [otherPaths(host, others, asked, by)] : []
  return { passthrough, diagnostics: found }
}

function noBackend({ name }: Host, { field }: AskedPassthrough, object: ObjectRef): Diagnostic {
  return error('PassthroughConflict', object, { field, message: `Host ${quote(name)} has no backend for the path "/", to which ssl-passthrough would go; its TLS connections are closed.`, fix: 'Add a rule with the path "/".' })
}

function otherPaths({ name }: Host, others: readonly Route[], { field }: AskedPassthrough, object: ObjectRef): Diagnostic {
  const paths = others.slice(0, 5).map(({ path }) => quote(path)).join(', ')
  return warning('PassthroughConflict', object, { field, message: `All TLS of host ${quote(name)} goes to the backend of its path "/"; its other paths (${paths}) are served over plain HTTP only.`, fix: 'Give the host the path "/" only.' })
}
