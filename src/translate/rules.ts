// Step 2: each accepted Ingress on its own: hosts, paths, annotations. Looks at no other object, so its result is kept while the Ingress stays.
import { keyOf, type Ingress, type IngressBackend, type IngressRule } from '../kube/objects.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { ObjectRef } from '../model/object-ref.ts'
import { readAnnotations, type AnnotationReading } from './annotations/read.ts'
import { balancingKey, type Balancing } from './balancing.ts'
import type { BackendReference, Contribution, Draft, IngressDraft, PathDraft, View } from './draft.ts'
import { ANY_HOST, parseHost } from './host-name.ts'
import { remember, sameList } from './memory.ts'
import type { TranslateOptions } from './options.ts'
import { parsePath } from './path.ts'
import { error, ingressRef, quote } from './report.ts'

export function rules(view: View, draft: Draft): void {
  const { ingresses: kept, unchangedIngresses: unchanged } = view.memo
  const { ingresses, refs, diagnostics } = remember(view.memo.rules, [draft.accepted, view.options], (before) => {
    const drafts = draft.accepted.map((ingress) => {
      const same = unchanged.get(ingress)
      if (same !== undefined && same.options === view.options) return same.draft
      const last = kept.get(keyOf(ingress.meta))
      const isSame = last !== undefined && last.options === view.options && sameRouting(last.ingress, ingress)
      const entry = { ingress, options: view.options, draft: isSame ? last.draft : draftIngress(ingress, view.options) }
      unchanged.set(ingress, entry)
      kept.set(keyOf(ingress.meta), entry)
      return entry.draft
    })
    if (kept.size > drafts.length) forgetOthers(kept, draft.accepted)
    if (before !== undefined && sameList(before.ingresses, drafts)) return before
    return { ingresses: drafts, refs: drafts.map((ingress) => ingress.object), diagnostics: drafts.flatMap((ingress) => ingress.diagnostics) }
  })
  Object.assign(draft, { ingresses, refs })
  draft.diagnostics.push(diagnostics)
}

function forgetOthers(kept: Map<string, unknown>, accepted: readonly Ingress[]): void {
  const present = new Set(accepted.map((ingress) => keyOf(ingress.meta)))
  for (const key of kept.keys()) if (!present.has(key)) kept.delete(key)
}

/** Published addresses are no part of it: writing them must not rebuild the routes. */
function sameRouting(a: Ingress, b: Ingress): boolean {
  return (
    a.meta.uid === b.meta.uid &&
    a.meta.createdAt === b.meta.createdAt &&
    a.meta.annotations === b.meta.annotations &&
    a.defaultBackend === b.defaultBackend &&
    a.tls === b.tls &&
    a.rules === b.rules
  )
}

export function draftIngress(ingress: Ingress, options: TranslateOptions): IngressDraft {
  const object = ingressRef(ingress.meta)
  const { policy, balancing, affinity, timeouts, retries, clientTls, leaveOut, diagnostics: fromAnnotations } = readAnnotations(ingress.meta.annotations, options, object)
  const diagnostics = [...fromAnnotations]
  const contributions = leaveOut ? [] : contribute(ingress, object, { policy, balancing, affinity, timeouts, retries }, diagnostics)
  const references: BackendReference[] = []
  for (const contribution of contributions) {
    for (const path of contribution.paths) references.push(path.reference)
    const fallback = contribution.fallback?.reference
    if (fallback !== undefined && !references.includes(fallback)) references.push(fallback)
  }
  return { object, namespace: ingress.meta.namespace, contributions, tls: leaveOut ? [] : ingress.tls, clientTls, backendTls: balancing.protocol?.tls, speaksTls: ['HTTPS', 'AUTO_HTTP', 'GRPCS'].includes(balancing.protocol?.speaks ?? ''), references, diagnostics }
}

function contribute(ingress: Ingress, object: ObjectRef, { balancing, ...asked }: Pick<AnnotationReading, 'policy' | 'balancing' | 'affinity' | 'timeouts' | 'retries'>, diagnostics: Diagnostic[]): readonly Contribution[] {
  const fallback = ingress.defaultBackend === undefined ? undefined : fallbackOf(ingress.defaultBackend, ingress.meta.namespace, balancing)
  const { createdAt } = ingress.meta
  const byHost = new Map<string, PathDraft[]>()
  // Only an Ingress without rules answers for every host; with rules its default backend is theirs.
  if (fallback !== undefined && ingress.rules.length === 0) byHost.set(ANY_HOST, [])
  ingress.rules.forEach((rule, index) => {
    const field = `spec.rules[${index}]`
    const parsed = parseHost(rule.host)
    if ('wrong' in parsed) {
      diagnostics.push(
        error('HostInvalid', object, {
          field: `${field}.host`,
          message: `The host ${quote(rule.host)} ${parsed.wrong}; this rule is left out.`,
          fix: 'Write a DNS name such as "app.example.com", or "*.example.com" for exactly one label in front.',
        }),
      )
      return
    }
    const paths = byHost.get(parsed.host) ?? []
    byHost.set(parsed.host, paths)
    for (const path of draftPaths(rule, field, ingress.meta.namespace, balancing, object, diagnostics)) paths.push(path)
  })
  return [...byHost].map(([host, paths]) => ({ host, object, createdAt, ...asked, paths, fallback }))
}

function draftPaths(rule: IngressRule, field: string, namespace: string, balancing: Balancing, object: ObjectRef, diagnostics: Diagnostic[]): readonly PathDraft[] {
  return (rule.paths ?? []).flatMap((entry, index): readonly PathDraft[] => {
    const at = `${field}.http.paths[${index}]`
    const parsed = parsePath(entry.path)
    if ('wrong' in parsed) {
      diagnostics.push(
        error('PathInvalid', object, {
          field: `${at}.path`,
          message: `The path ${quote(entry.path)} ${parsed.wrong}; it is left out.`,
          fix: 'Write an absolute path such as "/api".',
        }),
      )
      return []
    }
    const pathType = entry.pathType === 'Exact' ? 'Exact' : 'Prefix'
    return [{ path: parsed.path, pathType, field: at, reference: referenceOf(entry.backend, namespace, balancing, `${at}.backend`) }]
  })
}

function fallbackOf(backend: IngressBackend, namespace: string, balancing: Balancing): PathDraft {
  return { path: '/', pathType: 'Prefix', field: 'spec.defaultBackend', reference: referenceOf(backend, namespace, balancing, 'spec.defaultBackend') }
}

function referenceOf(backend: IngressBackend, namespace: string, balancing: Balancing, field: string): BackendReference {
  const { service, resource } = backend
  const what = service !== undefined ? `${service.name}:${typeof service.port}:${service.port}` : resource !== undefined ? '(resource)' : '(nothing)'
  return { key: `${namespace}/${what}${balancingKey(balancing)}`, namespace, balancing, serviceKey: service === undefined ? undefined : `${namespace}/${service.name}`, backend, field }
}
