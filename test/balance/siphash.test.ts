// The 32-bit halves against SipHash with 64-bit integers, which itself is held against the vector of its paper.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressKey, hash32, textKey } from '../../src/balance/hash.ts'
import { halfSipHash } from '../../src/balance/siphash.ts'

const MASK = (1n << 64n) - 1n
const rotated = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & MASK

/** SipHash-c-d (Aumasson and Bernstein, 2012). */
function sipHash(c: number, d: number, k0: bigint, k1: bigint, data: Uint8Array): bigint {
  let [v0, v1, v2, v3] = [k0 ^ 0x736f6d6570736575n, k1 ^ 0x646f72616e646f6dn, k0 ^ 0x6c7967656e657261n, k1 ^ 0x7465646279746573n]
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      v0 = (v0 + v1) & MASK
      v1 = rotated(v1, 13n) ^ v0
      v0 = rotated(v0, 32n)
      v2 = (v2 + v3) & MASK
      v3 = rotated(v3, 16n) ^ v2
      v0 = (v0 + v3) & MASK
      v3 = rotated(v3, 21n) ^ v0
      v2 = (v2 + v1) & MASK
      v1 = rotated(v1, 17n) ^ v2
      v2 = rotated(v2, 32n)
    }
  }
  const padded = new Uint8Array((data.length & ~7) + 8)
  padded.set(data)
  padded[padded.length - 1] = data.length
  const view = new DataView(padded.buffer)
  for (let at = 0; at < padded.length; at += 8) {
    const block = view.getBigUint64(at, true)
    v3 ^= block
    rounds(c)
    v0 ^= block
  }
  v2 ^= 0xffn
  rounds(d)
  return v0 ^ v1 ^ v2 ^ v3
}

test('the judge gives the result of the paper', () => {
  const bytes = Uint8Array.from({ length: 15 }, (_, i) => i)
  expect(sipHash(2, 4, 0x0706050403020100n, 0x0f0e0d0c0b0a0908n, bytes)).toBe(0xa129ca6149be45e5n)
})

test('a 32-bit integer is hashed as by the kernel', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(2654435761, 2654446892), (value, key) => {
      const data = new Uint8Array(new Uint32Array([value]).buffer)
      expect(halfSipHash(value, key)).toBe(Number(sipHash(1, 3, BigInt(key), BigInt(key), data) & 0xff_ff_ff_ffn))
    }),
    { seed: 5, numRuns: 300 },
  )
})

test.each([
  ['10.0.0.1', 0x0a000001],
  ['255.255.255.255', 0xffffffff],
  ['::1', 1],
  ['fd00:1:2:3:4:5:6:7', 0xfd000001 ^ 0x00020003 ^ 0x00040005 ^ 0x00060007],
  ['fe80::1%eth0', 0xfe800000 ^ 1],
  ['::ffff:10.0.0.1', 0x0a000001],
  ['::', 0],
])('the address %s is folded as by the kernel', (address, expected) => {
  expect(addressKey(address)).toBe(expected >>> 0)
  expect(addressKey(address, 443)).toBe(((expected >>> 0) + 443) % 2 ** 32)
})

test.each(['db.example.com', '10.0.0.256', '1.2.3', '1.2.3.4.5', 'fd00::1::2', '1:2:3', 'g::1', ''])('%j is hashed as a text', (text) => {
  expect(addressKey(text)).toBe(textKey(text))
})

test('hash_32 is the high bits of the product', () => {
  // 1 * 0x61c88647 >> 24, 2 * 0x61c88647 >> 24, and modulo 2^32: 3 * 0x61c88647 = 0x1_255992d5.
  expect([hash32(1, 8), hash32(2, 8), hash32(3, 8), hash32(3, 32)]).toEqual([0x61, 0xc3, 0x25, 0x255992d5])
})
