// The kernel's multiplicative hash and what is put into it. As there a key is an address folded to 32 bits, here also a text.

/** Knuth's constant as linux/hash.h has it. */
const GOLDEN_RATIO_32 = 0x61c88647

/** hash_32: the high `bits` of the product. */
export function hash32(value: number, bits: number): number {
  return Math.imul(value, GOLDEN_RATIO_32) >>> (32 - bits)
}

/** Of a host, a URI, the value of a header or cookie: 32 bits that depend on all of it. FNV-1a, then the mixing of MurmurHash3. */
export function textKey(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/**
 * As the kernel folds addresses: an IPv4 address is its number, the four words of an IPv6 address are combined by exclusive or, and
 * a port, where one counts (sh-port, mh-port), is added. An IPv4 address mapped into IPv6 is the IPv4 address. Anything else is a text.
 */
export function addressKey(address: string, port = 0): number {
  return (foldAddress(address) + port) >>> 0
}

function foldAddress(address: string): number {
  if (address.includes(':')) return foldIpv6(address)
  return foldIpv4(address, 0) ?? textKey(address)
}

function foldIpv4(address: string, from: number): number | undefined {
  let value = 0
  let part = -1
  let dots = 0
  for (let i = from; i <= address.length; i++) {
    const code = i === address.length ? 0x2e : address.charCodeAt(i)
    if (code === 0x2e) {
      if (part < 0 || part > 255) return undefined
      value = (value << 8) | part
      part = -1
      dots++
    } else if (code >= 0x30 && code <= 0x39) part = Math.max(part, 0) * 10 + code - 0x30
    else return undefined
  }
  return dots === 4 ? value >>> 0 : undefined
}

function foldIpv6(address: string): number {
  const zone = address.indexOf('%')
  const text = zone === -1 ? address : address.slice(0, zone)
  if (/^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(text)) return foldIpv4(text, 7) ?? textKey(address)
  const gap = text.indexOf('::')
  const before = groupsOf(gap === -1 ? text : text.slice(0, gap))
  const after = gap === -1 ? [] : groupsOf(text.slice(gap + 2))
  const missing = 8 - before.length - after.length
  if (gap === -1 ? missing !== 0 : missing < 1) return textKey(address)
  const groups = [...before, ...Array.from({ length: missing }, () => 0), ...after]
  let folded = 0
  for (const [i, group] of groups.entries()) {
    if (!(group >= 0 && group <= 0xffff)) return textKey(address)
    folded ^= i % 2 === 0 ? group << 16 : group
  }
  return folded >>> 0
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => (/^[0-9a-f]{1,4}$/i.test(group) ? Number.parseInt(group, 16) : NaN))
}
