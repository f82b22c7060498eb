// From an Ingress' annotations to the policy its routes have, and what to tell the user about them.
import type { Diagnostic } from '../../model/diagnostic.ts'
import type { ObjectRef } from '../../model/object-ref.ts'
import type { RouteRetries, RouteTimeouts } from '../../model/policy.ts'
import { NO_BALANCING, type Balancing } from '../balancing.ts'
import { OWN_PREFIX, type TranslateOptions } from '../options.ts'
import { error, quote, warning } from '../report.ts'
import { entriesOf, fieldOf, type Entry } from './entries.ts'
import { readAffinity, type AskedAffinity } from './read-affinity.ts'
import { readBalancing } from './read-balancing.ts'
import { readClientTls, type ClientTls } from './read-client-tls.ts'
import { readProtocol } from './read-protocol.ts'
import { readRetries } from './read-retries.ts'
import { readTimeouts } from './read-timeouts.ts'
import { REMOVED } from './removed.ts'
import { parseBool, type BooleanField, type PendingAnnotation } from './spec.ts'
import { ANNOTATIONS } from './table.ts'

/** What the annotations of an Ingress ask for its routes. Equal ones are the same object. */
export interface IngressPolicy extends Readonly<Record<BooleanField, boolean>> {
  /** The Ingress' own paths answer 503. */
  readonly closesPaths: boolean
  /** All paths of its hosts answer 503. */
  readonly closesHosts: boolean
}

export interface AnnotationReading {
  readonly policy: IngressPolicy
  readonly balancing: Balancing
  readonly clientTls: ClientTls | undefined
  readonly affinity: AskedAffinity | undefined
  readonly timeouts: RouteTimeouts | undefined
  readonly retries: RouteRetries | undefined
  /** The Ingress adds no routes. */
  readonly leaveOut: boolean
  readonly diagnostics: readonly Diagnostic[]
}

type Draft = { -readonly [Field in keyof IngressPolicy]: IngressPolicy[Field] }

const PLAIN_READING: Omit<AnnotationReading, 'policy'> = Object.freeze({ balancing: NO_BALANCING, affinity: undefined, timeouts: undefined, retries: undefined, clientTls: undefined, leaveOut: false, diagnostics: [] })

export function readAnnotations(annotations: Readonly<Record<string, string>>, { annotationPrefixes, redirects, closed }: TranslateOptions, object: ObjectRef): AnnotationReading {
  const entries = entriesOf(annotations, [OWN_PREFIX, ...annotationPrefixes])
  const policy: Draft = { sslRedirect: redirects.tlsHosts, forceSslRedirect: redirects.allHosts, closesPaths: false, closesHosts: closed }
  if (entries.size === 0) return { ...PLAIN_READING, policy: intern(policy) }
  const diagnostics: Diagnostic[] = []
  /** How large a share is asked for, which is no news where the share is not given. */
  const shares: Diagnostic[] = []
  let leaveOut = false
  for (const entry of entries.values()) {
    const spec = ANNOTATIONS.get(entry.name)
    if (spec === undefined) diagnostics.push(unknown(entry, object))
    else if (spec.kind === 'boolean') policy[spec.field] = readBool(entry, policy[spec.field], object, diagnostics)
    else if (spec.kind === 'pending') {
      const effect = spec.effect(entry.value)
      if (effect === undefined) continue
      if (effect === 'close-path') policy.closesPaths = true
      if (effect === 'close-host') policy.closesHosts = true
      if (effect === 'leave-out') leaveOut = true
      const report = entry.name.startsWith('canary-') ? shares : diagnostics
      report.push(unsupported(spec, effect, entry, object))
    }
  }
  if (!leaveOut) diagnostics.push(...shares)
  const balancing = readBalancing(entries, object, diagnostics)
  const { protocol, closes } = readProtocol(entries, object, diagnostics)
  if (closes) policy.closesPaths = true
  const affinity = readAffinity(entries, object, diagnostics)
  const timeouts = readTimeouts(entries, object, diagnostics)
  const retries = readRetries(entries, object, diagnostics)
  const clientTls = readClientTls(entries, object, diagnostics)
  return { policy: intern(policy), balancing: protocol === undefined ? balancing : { ...balancing, protocol }, affinity, timeouts, retries, clientTls, leaveOut, diagnostics }
}

const interned = new Map<string, IngressPolicy>()

/** The fields are booleans, so there are few different policies. */
function intern(policy: IngressPolicy): IngressPolicy {
  const key = Object.values(policy).join()
  const known = interned.get(key) ?? Object.freeze({ ...policy })
  interned.set(key, known)
  return known
}

function readBool(entry: Entry, initial: boolean, object: ObjectRef, diagnostics: Diagnostic[]): boolean {
  if (entry.value === '') return initial
  const value = parseBool(entry.value)
  if (value !== undefined) return value
  diagnostics.push(
    warning('AnnotationInvalid', object, {
      field: fieldOf(entry),
      message: `${quote(entry.value)} is no boolean; ${entry.name} is taken as ${initial}.`,
      fix: 'Set it to "true" or "false".',
    }),
  )
  return initial
}

const INSTEAD = {
  ignored: 'the Ingress is served without it',
  'close-path': 'so that nothing is left unprotected, the paths of this Ingress answer 503',
  'close-host': 'so that nothing is left unprotected, all paths of its hosts answer 503',
  'leave-out': 'the Ingress adds no routes, since it would take all of those requests',
}

function unsupported(spec: PendingAnnotation, effect: keyof typeof INSTEAD, entry: Entry, object: ObjectRef): Diagnostic {
  const report = effect === 'ignored' ? warning : error
  return report('AnnotationUnsupported', object, {
    field: fieldOf(entry),
    message: `${entry.name} asks for ${spec.asks}, which Narthex does not support; ${INSTEAD[effect]}.`,
    fix: `Remove the annotation${effect === 'ignored' ? ' if the Ingress works without it' : ' only if the Ingress may be served without it'}.`,
  })
}

function unknown(entry: Entry, object: ObjectRef): Diagnostic {
  return warning('AnnotationUnsupported', object, {
    field: fieldOf(entry),
    message: REMOVED.has(entry.name)
      ? `${entry.name} is no longer an annotation of ingress-nginx either; it is ignored.`
      : `Narthex knows no annotation ${quote(entry.name)}; it is ignored.`,
    fix: REMOVED.has(entry.name) ? 'Remove it.' : 'Check the spelling, or remove it.',
  })
}
