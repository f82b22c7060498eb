// Protocols that a request offers to switch to, and the one that an answer switches to: RFC 9110 section 7.8.
import { tokenEnd } from './characters.ts'
import { trimValue } from './field-lines.ts'

const SLASH = 47

/**
 * Never passed on: what they carry is requests again, which no rule of ours would see. RFC 9113 section 3.1 took `h2c` back, and TLS within
 * the connection (RFC 2817) would promise the client what ends somewhere else.
 */
const NEVER = new Set(['h2c', 'h2', 'http', 'tls'])

/**
 * Of the value of a request's Upgrade field, what may be passed on, as a list in the client's order; empty: nothing. `plainGet`: a GET
 * without a body, which is the only request that RFC 6455 lets switch to `websocket`.
 */
export function offeredProtocols(value: string, plainGet: boolean): string {
  const members = protocols(value)
  if (members === undefined) return ''
  return members.filter((member) => !NEVER.has(nameOf(member)) && (plainGet || nameOf(member) !== 'websocket')).join(', ')
}

/** What a response of 426 says that it wants, and we would pass on. */
export const wantedProtocols = (value: string): string => offeredProtocols(value, true)

/** A 101 may name `answered` after a request that offered `offered`: a protocol, and none that was not offered, in that version or in any. */
export function isOffered(answered: string, offered: string): boolean {
  if (offered === '') return false
  const members = protocols(answered)
  if (members === undefined || members.length === 0) return false
  const known = offered.toLowerCase().split(', ')
  return members.every((member) => known.includes(member.toLowerCase()) || known.includes(nameOf(member)))
}

const nameOf = (protocol: string): string => (protocol.includes('/') ? protocol.slice(0, protocol.indexOf('/')) : protocol).toLowerCase()

/** The members of a list of `name[/version]`, empty ones left out; undefined: something else is among them. */
function protocols(value: string): string[] | undefined {
  const members = value.split(',').map((part) => trimValue(part, 0, part.length))
  const found = members.filter((member) => member !== '')
  return found.every(isProtocol) ? found : undefined
}

function isProtocol(text: string): boolean {
  const name = tokenEnd(text, 0)
  if (name === 0 || name === text.length) return name > 0
  if (text.charCodeAt(name) !== SLASH) return false
  const end = tokenEnd(text, name + 1)
  return end === text.length && end > name + 1
}
