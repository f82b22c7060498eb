// One JSON line per request, made by hand (a tenth of what JSON.stringify of an object costs) and handed on in batches:
// the request path never waits for the output.
import type { Clock } from '../base/clock.ts'
import type { RouteSource } from '../model/routing.ts'
import type { RequestRecord } from './recorder.ts'

export interface AccessLog {
  write(record: RequestRecord): void
  /** Hands on what is held back. */
  flush(): void
  /** So many characters of what was handed on have been written. */
  written(characters: number): void
}

const BATCH_CHARACTERS = 32 * 1024
const BATCH_MS = 200
/** Handed on and not written yet: whoever reads the log is too slow. Beyond it lines are dropped, not requests held up. */
const MOST_UNWRITTEN = 4 * 1024 * 1024
/** Longer texts from clients are cut: a line stays small whatever arrives. */
const LONGEST_TEXT = 2048

/** `emit` gets whole lines, each with its line end; `onDrop` is told of each line that was not. */
export function createAccessLog(clock: Clock, emit: (lines: string) => void, onDrop: () => void = () => undefined): AccessLog {
  let held = ''
  let unwritten = 0
  let cancel: (() => void) | undefined

  function flush(): void {
    cancel?.()
    cancel = undefined
    if (held === '') return
    const lines = held
    held = ''
    unwritten += lines.length
    emit(lines)
  }

  return {
    write(record) {
      if (unwritten > MOST_UNWRITTEN) return onDrop()
      held += accessLine(record)
      if (held.length >= BATCH_CHARACTERS) flush()
      else cancel ??= clock.after(BATCH_MS, flush)
    },
    flush,
    written(characters) {
      unwritten -= characters
    },
  }
}

/** With its line end. Times are ISO 8601 and milliseconds; texts that do not apply are left out. */
export function accessLine(record: RequestRecord): string {
  const first = record.responseStart < 0 ? '' : `,"responseStartMs":${thousandths(record.responseStart)}`
  const failure = record.failure === undefined ? '' : `,"failure":"${record.failure}"`
  return (
    `{"time":"${new Date(record.startedAt).toISOString()}"${field('requestId', record.requestId)}${field('client', record.clientAddress)}` +
    `,"scheme":"${record.tls ? 'https' : 'http'}"${field('protocol', record.protocol)}${field('method', record.method)}` +
    `${field('host', record.host)}${field('path', record.path)},"status":${record.status},"durationMs":${thousandths(record.duration)}${first}` +
    `,"bytesIn":${record.bytesIn},"bytesOut":${record.bytesOut},"tries":${record.tries}` +
    `${field('backend', record.backend)}${field('endpoint', record.endpoint)}${sourceFields(record.route)}${failure}}\n`
  )
}

function sourceFields(route: RouteSource | undefined): string {
  if (route === undefined) return ''
  return field('namespace', route.object.namespace) + field('ingress', route.object.name) + field('service', route.service)
}

function field(name: string, value: string): string {
  return value === '' ? '' : `,"${name}":${text(value)}`
}

function thousandths(ms: number): number {
  return Math.round(ms * 1000) / 1000
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
