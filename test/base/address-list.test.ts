import { BlockList, isIPv4 } from 'node:net'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressList, canonicalAddress, isPrefix } from '../../src/base/address-list.ts'

const octet = fc.oneof(fc.constantFrom(0, 10, 127, 255), fc.nat(255))
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'))
const group = fc.oneof(fc.constantFrom(0, 1, 0xffff), fc.nat(0xffff))
const groups = fc.array(group, { minLength: 8, maxLength: 8 })
/** In full, and shortened as RFC 5952 writes it. */
const ipv6 = groups.chain((all) => {
  const full = all.map((each) => each.toString(16)).join(':')
  return fc.constantFrom(full, new URL(`http://[${full}]/`).hostname.slice(1, -1))
})
const isMapped = (address: string) => canonicalAddress(address)?.includes('.') === true
const plainIpv6 = ipv6.filter((address) => !isMapped(address))
const prefix = fc.oneof(fc.tuple(ipv4, fc.nat(32)), fc.tuple(plainIpv6, fc.nat(128)))

/** One for each family: in a single list ::/0 would hold all of IPv4, which nobody means who writes it. */
function judge(prefixes: readonly (readonly [string, number])[]): (address: string) => boolean {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  const familyOf = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6')
  for (const [address, bits] of prefixes) lists[familyOf(address)].addSubnet(address, bits, familyOf(address))
  return (address) => lists[familyOf(address)].check(address, familyOf(address))
}

/** Addresses near the edges of the prefixes say more than any others. */
function near(address: string, flipped: number): string {
  if (isIPv4(address)) {
    const number = address.split('.').reduce((value, part) => value * 256 + Number(part), 0) ^ (1 << (flipped % 32))
    return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
  }
  const all = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::')
  const [head = [], tail = []] = all.map((half) => (half === '' ? [] : half.split(':')))
  const full = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail].map((each) => Number.parseInt(each, 16))
  const at = Math.floor((flipped % 128) / 16)
  full[at] = (full[at] ?? 0) ^ (1 << (flipped % 16))
  return full.map((each) => each.toString(16)).join(':')
}

test('a list says of any address what net.BlockList says', () => {
  fc.assert(
    fc.property(fc.array(prefix, { maxLength: 8 }), fc.oneof(ipv4, plainIpv6), fc.nat(7), fc.nat(127), (prefixes, address, which, flipped) => {
      const list = addressList(prefixes.map(([base, bits]) => `${base}/${bits}`))
      const expected = judge(prefixes)
      const base = prefixes[which % Math.max(1, prefixes.length)]?.[0]
      for (const asked of base === undefined ? [address] : [address, base, near(base, flipped)]) {
        if (!isMapped(asked) || isIPv4(asked)) expect([asked, list.has(asked)]).toEqual([asked, expected(asked)])
      }
    }),
    { seed: 3, numRuns: 3000 },
  )
})

test('IPv4 in IPv6 is IPv4, in the list and in what is asked', () => {
  fc.assert(
    fc.property(ipv4, fc.nat(32), ipv4, (base, bits, address) => {
      const plain = addressList([`${base}/${bits}`])
      const mapped = addressList([`::ffff:${base}/${96 + bits}`])
      for (const form of [address, `::ffff:${address}`, `0:0:0:0:0:FFFF:${address}`]) {
        expect([form, mapped.has(form)]).toEqual([form, plain.has(address)])
        expect([form, plain.has(form)]).toEqual([form, plain.has(address)])
        expect(canonicalAddress(form)).toBe(address)
      }
    }),
    { seed: 3 },
  )
})

test('everything in one family is nothing in the other', () => {
  expect(addressList(['::/0']).has('192.0.2.1')).toBe(false)
  expect(addressList(['::/0']).has('::ffff:192.0.2.1')).toBe(false)
  expect(addressList(['0.0.0.0/0']).has('2001:db8::1')).toBe(false)
  expect(addressList(['0.0.0.0/0']).has('::ffff:192.0.2.1')).toBe(true)
})

test('a single address is a prefix of all its bits', () => {
  const list = addressList(['192.0.2.1', '2001:db8::1'])
  expect(['192.0.2.1', '192.0.2.2', '2001:db8:0::1', '2001:db8::2'].map((address) => list.has(address))).toEqual([true, false, true, false])
})

test('an IPv6 address has one form', () => {
  expect(['2001:DB8:0:0:0::1', '2001:db8:0:0:1:0:0:1', '::', '0:0:0:0:0:0:0:1'].map(canonicalAddress)).toEqual(['2001:db8::1', '2001:db8::1:0:0:1', '::', '::1'])
})

test('what is no address is in no list', () => {
  const all = addressList(['0.0.0.0/0', '::/0'])
  for (const text of ['', ' ', '1.2.3', '01.2.3.4', '1.2.3.4 ', '1.2.3.4:80', '[::1]', 'fe80::1%eth0', '::1::', 'unknown', '1.2.3.4/8']) {
    expect([text, all.has(text), canonicalAddress(text)]).toEqual([text, false, undefined])
  }
})

test('prefixes are refused unless they are whole', () => {
  expect(['10.0.0.0/8', '10.1.2.3/8', '::/0', '::1', '10.0.0.1/32', '2001:db8::/128', '::ffff:10.0.0.0/104', '::ffff:10.0.0.0/8'].map(isPrefix)).toEqual(Array.from({ length: 8 }, () => true))
  for (const text of ['', '/8', '10.0.0.0/', '10.0.0.0/33', '::/129', '10/8', '10.0.0.0/08', '10.0.0.0/+8', '10.0.0.0/8/8', ' 10.0.0.0/8', '10.0.0.0/8 ', 'fe80::%eth0/64', 'example.com']) {
    expect([text, isPrefix(text)]).toEqual([text, false])
  }
})
