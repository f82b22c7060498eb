// proxy-next-upstream and its kin: when a request of an Ingress is sent to another endpoint, in ingress-nginx's words.
import type { Diagnostic } from '../../model/diagnostic.ts'
import type { ObjectRef } from '../../model/object-ref.ts'
import type { RetryConditions, RouteRetries } from '../../model/policy.ts'
import { quote, warning } from '../report.ts'
import { fieldOf, type Entry } from './entries.ts'

const WORDS: ReadonlySet<string> = new Set(['error', 'timeout', 'invalid_header', 'non_idempotent', 'off'])
const STATUS = /^http_(500|502|503|504|403|404|429)$/
const NUMBER = /^\d{1,9}$/

/** undefined: none of them asks for anything. */
export function readRetries(entries: ReadonlyMap<string, Entry>, object: ObjectRef, diagnostics: Diagnostic[]): RouteRetries | undefined {
  const read = <T>(name: string, parse: (value: string) => T | undefined, fix: string): T | undefined => {
    const entry = entries.get(name)
    if (entry === undefined || entry.value === '') return undefined
    const value = parse(entry.value)
    if (value === undefined) diagnostics.push(warning('AnnotationInvalid', object, { field: fieldOf(entry), message: `${quote(entry.value)} is no value of ${name}; requests are tried again as without it.`, fix }))
    return value
  }
  const on = read('proxy-next-upstream', conditionsOf, 'Use error, timeout, invalid_header, non_idempotent and http_ with 403, 404, 429, 500, 502, 503 or 504, separated by spaces, or off.')
  const tries = read('proxy-next-upstream-tries', numberOf, 'Set it to the number of tries, the first included; 0: no limit.')
  const seconds = read('proxy-next-upstream-timeout', numberOf, 'Set it to whole seconds without a unit; 0: no limit.') ?? 0
  if (on === undefined && tries === undefined && seconds === 0) return undefined
  return { ...(tries !== undefined && { tries }), ...(seconds > 0 && { within: seconds * 1000 }), ...(on !== undefined && { on }) }
}

function conditionsOf(text: string): RetryConditions | undefined {
  const words = new Set(text.split(/\s+/))
  const statuses: number[] = []
  for (const word of words) {
    const status = STATUS.exec(word)?.[1]
    if (status !== undefined) statuses.push(Number(status))
    else if (!WORDS.has(word)) return undefined
  }
  // As nginx has it, whatever stands beside it.
  const has = (word: string): boolean => words.has(word) && !words.has('off')
  return { error: has('error'), timeout: has('timeout'), invalidHeader: has('invalid_header'), nonIdempotent: has('non_idempotent'), statuses: words.has('off') ? [] : statuses }
}

function numberOf(text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) : undefined
}
