// The endpoint that a session's cookie stands for, and the cookie of a new session, as ingress-nginx does it. What a cookie says is signed
// with what only the cluster knows, and is looked up among the endpoints there are: it can't name another address, and one that
// was bent, or whose endpoint is gone, begins a new session.
import { hash, randomBytes } from 'node:crypto'
import { localCursors } from '../balance/cursor.ts'
import { textKey } from '../balance/hash.ts'
import { createScheduler, type Scheduler } from '../balance/scheduler.ts'
import { eachField, fieldValue } from '../http/http1/field-lines.ts'
import type { CookieAffinity } from '../model/policy.ts'
import type { Exchange } from './exchange.ts'
import type { LiveBackend } from './routing.ts'

/** Characters of a signature: 132 bits. */
const SIGNATURE = 22
const KEY_BYTES = 12
/** Keys tried for a new session until one leads to an endpoint that may be used. */
const MOST_KEYS = 16

/** Of one backend with the endpoints it has, in one mode. */
interface Sessions {
  /** The endpoint that a cookie stands for, or -1. */
  find(value: string): number
  /** A cookie for a new session at `chosen`, or at another endpoint where the mode wants it so. */
  begin(chosen: number, usable: (index: number) => boolean): { readonly index: number; readonly value: string }
}

const persistentOf = new WeakMap<LiveBackend, Sessions>()
const balancedOf = new WeakMap<LiveBackend, Sessions>()

/** An index, or -1 when `choose` finds none. `choose` answers an endpoint for a new session. */
export function byCookie(exchange: Exchange, backend: LiveBackend, policy: CookieAffinity, choose: () => number): number {
  const sessions = sessionsOf(backend, policy.mode)
  const held = sessionOf(exchange.request.fields, policy.name, sessions)
  const isRetry = exchange.candidates.tried.length > 0
  if (held >= 0 && !(isRetry && policy.changeOnFailure === true)) return held
  const chosen = choose()
  if (chosen < 0) return chosen
  const { index, value } = sessions.begin(chosen, (each) => exchange.candidates.mayWait(each))
  exchange.setCookie = setCookie(policy, value, exchange)
  return index
}

function sessionsOf(backend: LiveBackend, mode: CookieAffinity['mode']): Sessions {
  const known = mode === 'persistent' ? persistentOf : balancedOf
  let sessions = known.get(backend)
  if (sessions === undefined) {
    sessions = mode === 'persistent' ? persistentSessions(backend) : balancedSessions(backend)
    known.set(backend, sessions)
  }
  return sessions
}

function signature(secret: string, text: string): string {
  return hash('sha256', `${secret}\n${text}`, 'base64url').slice(0, SIGNATURE)
}

/** The cookie is the signature of its endpoint. Weights are for new sessions: an endpoint that is drained keeps those it has. */
function persistentSessions({ backend: { serviceUid = '', endpoints } }: LiveBackend): Sessions {
  const values = endpoints.map(({ id }) => signature(serviceUid, id))
  const indices = new Map(values.map((value, index) => [value, index]))
  return {
    find: (value) => indices.get(value) ?? -1,
    begin: (chosen) => ({ index: chosen, value: values[chosen] ?? '' }),
  }
}

/** The cookie is a random key with its signature; Maglev hashing leads from the key to an endpoint. */
function balancedSessions({ backend: { serviceUid = '', endpoints } }: LiveBackend): Sessions {
  const scheduler: Scheduler = createScheduler('mh', { cursor: localCursors().of(''), random: Math.random, clock: NO_CLOCK, options: { fallback: true } })
  const indexOf = (key: string): number => scheduler.pick(endpoints, undefined, textKey(key))
  const signed = (key: string): string => `${key}.${signature(serviceUid, key)}`
  return {
    find(value) {
      const dot = value.indexOf('.')
      return dot > 0 && value.length < 100 && signed(value.slice(0, dot)) === value ? indexOf(value.slice(0, dot)) : -1
    },
    begin(chosen, usable) {
      for (let i = 0; i < MOST_KEYS; i++) {
        const key = randomBytes(KEY_BYTES).toString('base64url')
        const index = indexOf(key)
        if (index >= 0 && usable(index)) return { index, value: signed(key) }
      }
      return { index: chosen, value: signed(randomBytes(KEY_BYTES).toString('base64url')) }
    },
  }
}

/** mh knows no time. */
const NO_CLOCK = { now: () => 0, after: () => () => undefined }

/** Of several cookies of the name (for different paths, say) the first that stands for an endpoint. */
function sessionOf(fields: string, name: string, sessions: Sessions): number {
  let found = -1
  eachField(fields, (fieldName, text) => {
    if (found >= 0 || fieldName.length !== 6 || fieldName.toLowerCase() !== 'cookie') return
    for (const part of text.split(';')) {
      const pair = part.trim()
      if (!pair.startsWith(name) || pair[name.length] !== '=') continue
      found = sessions.find(pair.slice(name.length + 1))
      if (found >= 0) return
    }
  })
  return found
}

/** The whole field line. */
function setCookie(policy: CookieAffinity, value: string, { request, origin, context }: Exchange): string {
  const { name, path, domain, expires, maxAge, secure, sameSite, conditionalSameSiteNone } = policy
  let text = `Set-Cookie: ${name}=${value}`
  if (expires !== undefined) text += `; Expires=${expiryDate(context.now + expires * 1000)}`
  if (maxAge !== undefined) text += `; Max-Age=${maxAge}`
  if (domain !== undefined) text += `; Domain=${domain}`
  text += `; Path=${path}`
  if (secure === true || origin.secure) text += '; Secure'
  text += '; HttpOnly'
  const isLeftOut = sameSite === 'None' && conditionalSameSiteNone === true && takesNoneForStrict(fieldValue(request.fields, 'user-agent') ?? '')
  if (sameSite !== undefined && !isLeftOut) text += `; SameSite=${sameSite}`
  return `${text}\r\n`
}

const LAST_DATE = Date.UTC(9999, 11, 31)

function expiryDate(time: number): string {
  return new Date(Math.min(Math.max(time, 0), LAST_DATE)).toUTCString()
}

/** Chrome 40 to 69, everything on iOS 12, Safari on macOS 10.14: as ingress-nginx knows them. */
function takesNoneForStrict(userAgent: string): boolean {
  if (/Chrome\/[456]/.test(userAgent)) return true
  if (/\(iP(?:hone|ad|od)[^)]{0,80}? OS 12[_ ]/.test(userAgent)) return true
  return /\(Macintosh;[^)]{0,80}? OS X 10_14[_ )]/.test(userAgent) && userAgent.includes('Safari/') && !userAgent.includes('Chrom')
}
