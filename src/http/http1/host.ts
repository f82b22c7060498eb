// The Host field and the authority of an absolute-form target: syntax and the name that routes are looked up by.

const NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/
const IPV6 = /^\[(?=[^\]]*:)[0-9A-Fa-f:.]{2,45}\]$/

/** A power of two. */
const REMEMBERED = 256

interface Remembered {
  readonly value: string
  readonly name: string
}

/** Clients ask for the same few hosts: what was seen of late is not parsed again. */
const remembered: (Remembered | undefined)[] = Array.from({ length: REMEMBERED }, () => undefined)

/**
 * The lower-case name in `value` without port and final dot, or undefined when it is not `uri-host [ ":" port ]`.
 * Stricter than RFC 3986's reg-name: no percent-encoding, no sub-delims, no empty label, since each of them
 * is read differently somewhere behind a proxy.
 */
export function hostName(value: string): string | undefined {
  const { length } = value
  const at = (31 * length + 7 * value.charCodeAt(0) + value.charCodeAt(length >> 1)) & (REMEMBERED - 1)
  const known = remembered[at]
  if (known !== undefined && known.value === value) return known.name
  const name = parse(value)
  if (name === undefined) return undefined
  const kept = { value: unique(value), name: unique(name) }
  remembered[at] = kept
  return kept.name
}

function parse(value: string): string | undefined {
  const colon = value.charCodeAt(0) === 91 ? value.indexOf(':', value.indexOf(']')) : value.indexOf(':')
  const name = colon < 0 ? value : value.slice(0, colon)
  if (colon >= 0 && !isPort(value, colon + 1)) return undefined
  if (name.length > 255 || !(NAME.test(name) || IPV6.test(name))) return undefined
  const lower = name.toLowerCase()
  return lower.charCodeAt(lower.length - 1) === 46 ? lower.slice(0, -1) : lower
}

/** The text as a property name: not a part of the head that it was cut from, which would be kept with it, and found in a Map at once. */
function unique(text: string): string {
  return Object.keys({ [text]: true })[0] ?? text
}

/** `value` without its port, otherwise as the client wrote it. */
export function withoutPort(value: string): string {
  const colon = value.charCodeAt(0) === 91 ? value.indexOf(':', value.indexOf(']')) : value.indexOf(':')
  return colon < 0 ? value : value.slice(0, colon)
}

function isPort(text: string, start: number): boolean {
  if (text.length - start > 5) return false
  for (let i = start; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c < 48 || c > 57) return false
  }
  return start === text.length || Number(text.slice(start)) <= 65_535
}
