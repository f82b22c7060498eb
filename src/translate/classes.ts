// Step 1: which Ingresses are ours, oldest first.
import { keyOf, type Ingress, type IngressClass, type ObjectKey } from '../kube/objects.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { Draft, View } from './draft.ts'
import { remember } from './memory.ts'
import type { TranslateOptions } from './options.ts'
import { error, ingressRef, quote, warning } from './report.ts'

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'

export function classes(view: View, draft: Draft): void {
  const { ingresses, ingressClasses } = view.state
  const { accepted, diagnostics } = remember(view.memo.classes, [ingresses, ingressClasses, view.options], () => {
    const accepted: Ingress[] = []
    const diagnostics: Diagnostic[] = []
    for (const ingress of ingresses.values()) {
      // An object that is being deleted loses its routes at once, however long its finalizers take.
      if (ingress.meta.deleting) continue
      const verdict = judge(ingress, ingressClasses, view.options)
      if (verdict === 'ours') accepted.push(ingress)
      else if (verdict !== 'foreign') diagnostics.push(verdict)
    }
    return { accepted: accepted.sort(byAge), diagnostics }
  })
  draft.accepted = accepted
  draft.diagnostics.push(diagnostics)
}

/** Oldest first; equal ages by namespace, then name. */
export function byAge(a: Ingress, b: Ingress): number {
  return a.meta.createdAt - b.meta.createdAt || compare(a.meta.namespace, b.meta.namespace) || compare(a.meta.name, b.meta.name)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * The order that ingress-nginx has: spec.ingressClassName if it is there, else the annotation, else no class.
 * A class is ours by its controller, not by its name; the annotation names no IngressClass but us.
 */
function judge(ingress: Ingress, classes: ReadonlyMap<ObjectKey, IngressClass>, options: TranslateOptions): 'ours' | 'foreign' | Diagnostic {
  if (ingress.className !== undefined) {
    const named = classes.get(ingress.className)
    if (named === undefined) return classMissing(ingress, ingress.className)
    return named.controller === options.controllerClass ? 'ours' : 'foreign'
  }
  const annotation = ingress.meta.annotations[CLASS_ANNOTATION]
  if (annotation !== undefined && annotation !== '') return annotation === options.ingressClass ? 'ours' : 'foreign'
  if (options.watchIngressWithoutClass) return 'ours'
  // The API server fills the default class into new objects only; older ones mean the same.
  const defaults = [...classes.values()].filter((item) => item.isDefault)
  if (defaults.length === 0) return classUnnamed(ingress, options)
  return defaults.some((item) => item.controller === options.controllerClass) ? 'ours' : 'foreign'
}

function classMissing(ingress: Ingress, name: string): Diagnostic {
  return error('ClassNotFound', ingressRef(ingress.meta), {
    field: 'spec.ingressClassName',
    message: `There is no IngressClass ${quote(name)}; no controller serves this Ingress.`,
    fix: `Create the IngressClass ${quote(name)} or name an existing one (kubectl get ingressclass).`,
  })
}

function classUnnamed(ingress: Ingress, options: TranslateOptions): Diagnostic {
  return warning('ClassNotFound', ingressRef(ingress.meta), {
    field: 'spec.ingressClassName',
    message: `${keyOf(ingress.meta)} names no IngressClass and no IngressClass is the default; Narthex does not serve it.`,
    fix: `Set spec.ingressClassName (for Narthex: ${quote(options.ingressClass)}), mark an IngressClass as default, or run with --watch-ingress-without-class.`,
  })
}
