// Host names as Ingress rules and TLS entries may have them.
import { isIP } from 'node:net'

/** `*`: a rule without a host. */
export const ANY_HOST = '*'

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** The host in lower case, `*` for an empty one, or what is wrong with it. */
export function parseHost(text: string): { readonly host: string } | { readonly wrong: string } {
  if (text === '') return { host: ANY_HOST }
  const host = text.toLowerCase()
  if (host.length > 253) return { wrong: 'is longer than 253 characters' }
  if (isIP(host) !== 0) return { wrong: 'is an IP address, not a DNS name' }
  const labels = host.split('.')
  const wildcard = labels[0] === '*'
  if (wildcard) labels.shift()
  if (wildcard && labels.length < 1) return { wrong: 'is a lone wildcard' }
  if (labels.includes('*') || labels.some((label) => label.includes('*'))) {
    return { wrong: 'has a wildcard elsewhere than as its whole first label' }
  }
  if (!labels.every((label) => LABEL.test(label))) return { wrong: 'is not a DNS name (lower-case letters, digits and `-`, in labels separated by `.`)' }
  return { host }
}

/** `*.example.com` for `a.example.com`; undefined for a single label, a wildcard or `*`. */
export function wildcardOf(host: string): string | undefined {
  const dot = host.indexOf('.')
  return dot > 0 && dot < host.length - 1 && !host.startsWith('*') ? `*${host.slice(dot)}` : undefined
}
