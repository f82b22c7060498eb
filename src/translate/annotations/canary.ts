// Canaries: an Ingress that takes a share of another one's requests. Serving it as an Ingress of its own would give it all of them.
import { ignored, isFalse, pending, type AnnotationSpec } from './spec.ts'

export const CANARY: readonly AnnotationSpec[] = [
  pending('canary', 'a share of another Ingress’ requests', (value) => (isFalse(value) ? undefined : 'leave-out')),
  ignored('canary-by-header', 'a canary by header field'),
  ignored('canary-by-header-value', 'a canary by header value'),
  ignored('canary-by-header-pattern', 'a canary by header pattern'),
  ignored('canary-by-cookie', 'a canary by cookie'),
  ignored('canary-weight', 'a weight of the canary'),
  ignored('canary-weight-total', 'a total of canary weights'),
]
