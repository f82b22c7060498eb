// One JSON line per request, made by hand (a tenth of what JSON.stringify of an object costs) and handed on in batches:
// the request path never waits for the output.
import type { Clock } from '../base/clock.ts'
import type { RequestFacts } from './recorder.ts'

export interface AccessLog {
  write(facts: RequestFacts): void
  /** Hands on what is held back. */
  flush(): void
}

const BATCH_CHARACTERS = 32 * 1024
const BATCH_MS = 200
/** Longer texts from clients are cut: a line stays small whatever arrives. */
const LONGEST_TEXT = 2048

/** `emit` gets whole lines, each with its line end. */
export function createAccessLog(clock: Clock, emit: (lines: string) => void): AccessLog {
  let held = ''
  let cancel: (() => void) | undefined

  function flush(): void {
    cancel?.()
    cancel = undefined
    if (held === '') return
    const lines = held
    held = ''
    emit(lines)
  }

  return {
    write(facts) {
      held += accessLine(facts)
      if (held.length >= BATCH_CHARACTERS) flush()
      else cancel ??= clock.after(BATCH_MS, flush)
    },
    flush,
  }
}

/** With its line end. Times are ISO 8601 and milliseconds. */
export function accessLine(facts: RequestFacts): string {
  const source = facts.route?.source
  const route =
    source === undefined
      ? ''
      : `,"namespace":${text(source.object.namespace)},"ingress":${text(source.object.name)},"service":${text(source.service)},"servicePort":${text(source.servicePort)}`
  const failure = facts.failure === undefined ? '' : `,"failure":"${facts.failure}"`
  const endpoint = facts.endpoint === undefined ? '' : `,"endpoint":${text(facts.endpoint)}`
  return (
    `{"time":"${new Date(facts.startedAt).toISOString()}","requestId":${text(facts.requestId)},"client":${text(facts.clientAddress)}` +
    `,"scheme":"${facts.tls ? 'https' : 'http'}","method":${text(facts.method)},"host":${text(facts.host)},"target":${text(facts.target)}` +
    `,"status":${facts.status},"durationMs":${Math.round(facts.durationMs * 1000) / 1000},"bytesIn":${facts.bytesIn},"bytesOut":${facts.bytesOut}` +
    `,"retries":${facts.retries}${endpoint}${route}${failure}}\n`
  )
}

// Quote and backslash, control characters, lone surrogates, and the two line ends that JSON allows but line readers may not.
const NEEDS_ESCAPE = /["\\\p{Cc}\p{Cs}\u2028\u2029]/u

function text(value: string): string {
  const cut = value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value
  return NEEDS_ESCAPE.test(cut) ? JSON.stringify(cut).replaceAll(/[\p{Cc}\u2028\u2029]/gu, unicodeEscape) : `"${cut}"`
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
