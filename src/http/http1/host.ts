// The Host field and the authority of an absolute-form target: syntax and the name that routes are looked up by.

const NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/
const IPV6 = /^\[(?=[^\]]*:)[0-9A-Fa-f:.]{2,45}\]$/

/**
 * The lower-case name in `value` without port and final dot, or undefined when it is not `uri-host [ ":" port ]`.
 * Stricter than RFC 3986's reg-name: no percent-encoding, no sub-delims, no empty label, since each of them
 * is read differently somewhere behind a proxy.
 */
export function hostName(value: string): string | undefined {
  const colon = value.charCodeAt(0) === 91 ? value.indexOf(':', value.indexOf(']')) : value.indexOf(':')
  const name = colon < 0 ? value : value.slice(0, colon)
  if (colon >= 0 && !isPort(value, colon + 1)) return undefined
  if (name.length > 255 || !(NAME.test(name) || IPV6.test(name))) return undefined
  const lower = name.toLowerCase()
  return lower.charCodeAt(lower.length - 1) === 46 ? lower.slice(0, -1) : lower
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
