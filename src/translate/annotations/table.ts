// Every annotation that Narthex knows by name. A new one is a line in its group, or a new group here.
import { AUTHENTICATION } from './authentication.ts'
import { BACKEND } from './backend.ts'
import { BALANCING } from './balancing.ts'
import { CANARY } from './canary.ts'
import { CLIENT_TLS } from './client-tls.ts'
import { REDIRECT } from './redirect.ts'
import { RESPONSES } from './responses.ts'
import { ROUTING } from './routing.ts'
import { SNIPPETS } from './snippets.ts'
import type { AnnotationSpec } from './spec.ts'
import { TRAFFIC } from './traffic.ts'

export const ANNOTATION_GROUPS: Readonly<Record<string, readonly AnnotationSpec[]>> = {
  routing: ROUTING,
  redirect: REDIRECT,
  'client tls': CLIENT_TLS,
  backend: BACKEND,
  balancing: BALANCING,
  canary: CANARY,
  traffic: TRAFFIC,
  authentication: AUTHENTICATION,
  responses: RESPONSES,
  snippets: SNIPPETS,
}

/** By name without prefix. */
export const ANNOTATIONS: ReadonlyMap<string, AnnotationSpec> = new Map(
  Object.values(ANNOTATION_GROUPS).flatMap((group) => group.map((spec) => [spec.name, spec] as const)),
)
