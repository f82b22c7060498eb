// Lists of IP addresses and prefixes, as sorted ranges. An IPv4 address written as IPv6 (::ffff:192.0.2.1, what a dual-stack
// socket shows) is that IPv4 address, in the list and in what is asked. Prefixes of one family say nothing about the other.
import { isIPv4, isIPv6 } from 'node:net'

export interface AddressList {
  /** False for what is no address, and for one with a zone. */
  has(address: string): boolean
}

type Family = 4 | 6

/** Both ends belong to it. */
interface Range {
  readonly family: Family
  readonly first: bigint
  readonly last: bigint
}

interface Ranges {
  readonly firsts: readonly bigint[]
  readonly lasts: readonly bigint[]
}

const BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 }
const MAPPED = 0xffffn << 32n

export const NO_ADDRESSES: AddressList = Object.freeze({ has: () => false })

/** `prefixes` must be such as `isPrefix` takes; others match nothing. */
export function addressList(prefixes: readonly string[]): AddressList {
  const ranges = prefixes.flatMap((prefix) => rangeOf(prefix) ?? [])
  if (ranges.length === 0) return NO_ADDRESSES
  const byFamily = { 4: merged(ranges, 4), 6: merged(ranges, 6) }
  return {
    has(address) {
      const number = numberOf(address)
      return number !== undefined && isWithin(byFamily[number.family], number.value)
    },
  }
}

/** `192.0.2.0/24`, `2001:db8::/32` or a single address. Bits beyond the prefix don't count. */
export function isPrefix(text: string): boolean {
  return rangeOf(text) !== undefined
}

/** The one form in which we write an address: IPv4 in IPv6 as IPv4, other IPv6 as RFC 5952 has it. Undefined: it is no address. */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  const number = numberOf(text)
  if (number === undefined) return undefined
  if (number.family === 6) return new URL(`http://[${text}]/`).hostname.slice(1, -1)
  return [24n, 16n, 8n, 0n].map((shift) => (number.value >> shift) & 0xffn).join('.')
}

function rangeOf(prefix: string): Range | undefined {
  const [address = '', length, ...rest] = prefix.split('/')
  const number = numberOf(address)
  if (number === undefined || rest.length > 0 || (length !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(length))) return undefined
  const written: Family = address.includes(':') ? 6 : 4
  let bits = length === undefined ? BITS[written] : Number(length)
  if (bits > BITS[written]) return undefined
  let { family, value } = number
  if (family !== written) {
    // A mapped address: in a prefix that reaches beyond the mapped ones it is an IPv6 address like others.
    if (bits >= 96) bits -= 96
    else {
      family = 6
      value |= MAPPED
    }
  }
  const free = BigInt(BITS[family] - bits)
  const first = (value >> free) << free
  return { family, first, last: first | ((1n << free) - 1n) }
}

function numberOf(text: string): { readonly family: Family; readonly value: bigint } | undefined {
  if (isIPv4(text)) return { family: 4, value: BigInt(ipv4Number(text)) }
  if (!isIPv6(text) || text.includes('%')) return undefined
  const value = ipv6Number(text)
  return value >> 32n === 0xffffn ? { family: 4, value: value & 0xffff_ffffn } : { family: 6, value }
}

function ipv4Number(text: string): number {
  let value = 0
  for (const part of text.split('.')) value = value * 256 + Number(part)
  return value
}

/** `text` is well formed. */
function ipv6Number(text: string): bigint {
  const [head = '', tail] = text.split('::')
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  const groups = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n)
}

function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return Number.parseInt(group, 16)
    const value = ipv4Number(group)
    return [Math.floor(value / 65_536), value % 65_536]
  })
}

function merged(all: readonly Range[], family: Family): Ranges {
  const firsts: bigint[] = []
  const lasts: bigint[] = []
  const sorted = all.filter((range) => range.family === family).toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))
  for (const { first, last } of sorted) {
    const end = lasts.at(-1)
    if (end === undefined || first > end + 1n) {
      firsts.push(first)
      lasts.push(last)
    } else if (last > end) lasts[lasts.length - 1] = last
  }
  return { firsts, lasts }
}

function isWithin({ firsts, lasts }: Ranges, value: bigint): boolean {
  let low = 0
  let high = firsts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((firsts[middle] ?? 0n) <= value) low = middle + 1
    else high = middle
  }
  const last = lasts[low - 1]
  return last !== undefined && value <= last
}
