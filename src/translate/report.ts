// Making diagnostics: the only way a step speaks of a user's mistake.
export { quote } from '../base/quote.ts'
import type { Meta } from '../kube/objects.ts'
import type { Diagnostic, DiagnosticReason } from '../model/diagnostic.ts'
import type { ObjectRef } from '../model/object-ref.ts'

export interface Finding {
  readonly field: string
  readonly message: string
  readonly fix: string
}

export function error(reason: DiagnosticReason, object: ObjectRef, finding: Finding): Diagnostic {
  return { severity: 'error', reason, object, ...finding }
}

export function warning(reason: DiagnosticReason, object: ObjectRef, finding: Finding): Diagnostic {
  return { severity: 'warning', reason, object, ...finding }
}

export function ingressRef(meta: Meta): ObjectRef {
  return { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', namespace: meta.namespace, name: meta.name, uid: meta.uid }
}
