// The shape of an annotation's entry in the table, and the few ways to make one.

/**
 * What happens to a route whose annotation can't be honoured yet:
 * ignored: it is served without it, with a warning; close-path, close-host: the Ingress' paths, or the whole host,
 * answer 503, since serving without it would drop a protection; leave-out: the Ingress adds no routes.
 */
export type Effect = 'ignored' | 'close-path' | 'close-host' | 'leave-out'

export interface PendingAnnotation {
  readonly kind: 'pending'
  /** Without prefix. */
  readonly name: string
  /** What is asked for, as the object of "asks for …" in a message. */
  readonly asks: string
  /** undefined for values that ask for nothing beyond what Narthex does anyway. The value is trimmed. */
  readonly effect: (value: string) => Effect | undefined
}

export interface BooleanAnnotation {
  readonly kind: 'boolean'
  readonly name: string
  readonly field: BooleanField
}

/** Policy fields that a boolean annotation sets. */
export type BooleanField = 'sslRedirect' | 'forceSslRedirect'

/** Read together with the others of its kind: see read-balancing, read-affinity, read-client-tls, read-protocol, read-timeouts and read-retries. */
export interface GroupedAnnotation {
  readonly kind: 'balancing' | 'affinity' | 'client-tls' | 'protocol' | 'timeout' | 'retry'
  readonly name: string
}

export type AnnotationSpec = PendingAnnotation | BooleanAnnotation | GroupedAnnotation

export function boolean(name: string, field: BooleanField): BooleanAnnotation {
  return { kind: 'boolean', name, field }
}

export function balancing(name: string): GroupedAnnotation {
  return { kind: 'balancing', name }
}

export function affinity(name: string): GroupedAnnotation {
  return { kind: 'affinity', name }
}

export function clientTls(name: string): GroupedAnnotation {
  return { kind: 'client-tls', name }
}

export function protocol(name: string): GroupedAnnotation {
  return { kind: 'protocol', name }
}

export function timeout(name: string): GroupedAnnotation {
  return { kind: 'timeout', name }
}

export function retry(name: string): GroupedAnnotation {
  return { kind: 'retry', name }
}

/** Served without it. Empty values and `idle` ones pass silently. */
export function ignored(name: string, asks: string, idle: readonly string[] = []): PendingAnnotation {
  return pending(name, asks, (value) => (value === '' || idle.includes(value.toLowerCase()) ? undefined : 'ignored'))
}

/** A switch that is served without: any false value passes silently. */
export function ignoredSwitch(name: string, asks: string): PendingAnnotation {
  return pending(name, asks, (value) => (isFalse(value) ? undefined : 'ignored'))
}

/** A protection: without it the Ingress' paths answer 503. */
export function closesPath(name: string, asks: string, idle: (value: string) => boolean = () => false): PendingAnnotation {
  return pending(name, asks, (value) => (idle(value) ? undefined : 'close-path'))
}

export function pending(name: string, asks: string, effect: (value: string) => Effect | undefined): PendingAnnotation {
  return { kind: 'pending', name, asks, effect }
}

const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

/** The spellings that Go's ParseBool takes and no others; undefined for the rest. */
export function parseBool(value: string): boolean | undefined {
  return TRUE.has(value) ? true : FALSE.has(value) ? false : undefined
}

export function isFalse(value: string): boolean {
  return value === '' || parseBool(value) === false
}

export function isEmpty(value: string): boolean {
  return value === ''
}
