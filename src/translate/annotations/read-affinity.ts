// From the annotations of session affinity to the policy of a route: ingress-nginx's names and defaults.
import type { Diagnostic } from '../../model/diagnostic.ts'
import type { ObjectRef } from '../../model/object-ref.ts'
import type { CookieAffinity } from '../../model/policy.ts'
import { quote, warning } from '../report.ts'
import { fieldOf, type Entry } from './entries.ts'
import { parseBool } from './spec.ts'

/** Without `path`: that of the rule. */
export type AskedAffinity = Omit<CookieAffinity, 'path'> & { readonly path?: string }

const DEFAULT_NAME = 'INGRESSCOOKIE'
/** RFC 6265 section 4.1.1: a token. */
const NAME = /^[\w!#$%&'*+.^`|~-]{1,128}$/
const PATH = /^\/[\x21-\x3a\x3c-\x7e]{0,1023}$/
const DOMAIN = /^\.?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i
const SECONDS = /^-?\d{1,10}$/
const SAME_SITE = ['None', 'Lax', 'Strict'] as const

/** undefined: none is asked for. What can't be read is taken as absent, with a diagnostic. */
export function readAffinity(entries: ReadonlyMap<string, Entry>, object: ObjectRef, diagnostics: Diagnostic[]): AskedAffinity | undefined {
  const read = <T>(name: string, parse: (value: string) => T | undefined, instead: string, fix: string): T | undefined => {
    const entry = entries.get(name)
    if (entry === undefined || entry.value === '') return undefined
    const value = parse(entry.value)
    if (value === undefined) diagnostics.push(warning('AnnotationInvalid', object, { field: fieldOf(entry), message: `${quote(entry.value)} is no value of ${name}; ${instead}.`, fix }))
    return value
  }
  const isOn = (name: string): boolean => read(name, parseBool, 'it is taken as false', 'Set it to "true" or "false".') === true
  const kind = read('affinity', (value) => (value === 'cookie' ? value : undefined), 'there is no affinity', 'Set it to "cookie", or give the Service sessionAffinity ClientIP.')
  if (kind === undefined) return undefined
  const path = read('session-cookie-path', matching(PATH), 'the path of the rule is used', 'Set it to an absolute path without spaces and semicolons.')
  const domain = read('session-cookie-domain', matching(DOMAIN), 'the cookie is for the host alone', 'Set it to a domain such as "example.com".')
  const expires = read('session-cookie-expires', secondsOf, 'the cookie ends with the session', 'Set it to a number of seconds.')
  const maxAge = read('session-cookie-max-age', secondsOf, 'the cookie ends with the session', 'Set it to a number of seconds.')
  const sameSite = read('session-cookie-samesite', (value) => SAME_SITE.find((each) => each.toLowerCase() === value.toLowerCase()), 'the cookie has no SameSite', 'Set it to None, Lax or Strict.')
  return {
    mode: read('affinity-mode', (value) => (value === 'balanced' || value === 'persistent' ? value : undefined), 'it is taken as balanced', 'Set it to "balanced" or "persistent".') ?? 'balanced',
    name: read('session-cookie-name', matching(NAME), `the name is ${DEFAULT_NAME}`, 'Use letters, digits and "-", "_", ".", "~".') ?? DEFAULT_NAME,
    ...(path !== undefined && { path }),
    ...(domain !== undefined && { domain }),
    ...(expires !== undefined && { expires }),
    ...(maxAge !== undefined && { maxAge }),
    ...(sameSite !== undefined && { sameSite }),
    ...(isOn('session-cookie-conditional-samesite-none') && { conditionalSameSiteNone: true }),
    ...(isOn('session-cookie-secure') && { secure: true }),
    ...(isOn('session-cookie-change-on-failure') && { changeOnFailure: true }),
  }
}

function matching(pattern: RegExp): (value: string) => string | undefined {
  return (value) => (pattern.test(value) ? value : undefined)
}

function secondsOf(value: string): number | undefined {
  return SECONDS.test(value) ? Number(value) : undefined
}
