// Whether the name of an ExternalName Service may be connected to. It comes from whoever may write a Service, and the
// controller stands where its loopback and link-local addresses are worth attacking.
import { BlockList, isIP } from 'node:net'

const SPECIAL = new BlockList()
SPECIAL.addSubnet('127.0.0.0', 8, 'ipv4')
SPECIAL.addSubnet('0.0.0.0', 8, 'ipv4')
SPECIAL.addSubnet('169.254.0.0', 16, 'ipv4')
SPECIAL.addSubnet('224.0.0.0', 4, 'ipv4')
SPECIAL.addAddress('255.255.255.255', 'ipv4')
SPECIAL.addAddress('::', 'ipv6')
SPECIAL.addAddress('::1', 'ipv6')
SPECIAL.addSubnet('fe80::', 10, 'ipv6')
SPECIAL.addSubnet('ff00::', 8, 'ipv6')

/** Loopback, link-local, multicast, unspecified: never a backend of a real cluster. IPv4-mapped forms count as what they map. */
export function isSpecialAddress(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && SPECIAL.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
/** Forms that resolvers read as numbers: `127.1`, `0x7f.1`, `2130706433`. */
const NUMERIC_LABEL = /^(?:\d+|0x[0-9a-f]*)$/

/** The name as it is resolved: lower case, without a trailing dot; or what is wrong with it. */
export function parseExternalName(text: string, allowLoopback: boolean): { readonly name: string } | { readonly wrong: string } {
  const name = text.toLowerCase().replace(/\.$/, '')
  if (name === '') return { wrong: 'is empty' }
  if (isIP(name) !== 0) return isSpecialAddress(name) && !allowLoopback ? { wrong: 'is a loopback, link-local or multicast address' } : { name }
  if (name.length > 253) return { wrong: 'is longer than 253 characters' }
  const labels = name.split('.')
  if (!labels.every((label) => LABEL.test(label))) return { wrong: 'is not a DNS name' }
  const last = labels.at(-1) ?? ''
  if (NUMERIC_LABEL.test(last)) return { wrong: 'is a number, not a DNS name' }
  if (last === 'localhost' && !allowLoopback) return { wrong: 'is this machine' }
  return { name }
}
