// SipHash-1-3 of one 32-bit integer, the low half of the result: the kernel's hsiphash on 64-bit machines, so that mh
// lays out its table as the kernel does. 64-bit words are pairs of 32-bit halves: BigInt would cost microseconds.

/** Halves of the four words, low then high. */
const v = new Int32Array(8)

/** Both 64-bit halves of the kernel's key are this one number. */
export function halfSipHash(value: number, key: number): number {
  const low = key | 0
  // "somepseudorandomlygeneratedbytes", combined with the key.
  v[0] = 0x70736575 ^ low
  v[1] = 0x736f6d65
  v[2] = 0x6e646f6d ^ low
  v[3] = 0x646f7261
  v[4] = 0x6e657261 ^ low
  v[5] = 0x6c796765
  v[6] = 0x79746573 ^ low
  v[7] = 0x74656462
  // The only block: the value, with its length of 4 bytes in the topmost byte.
  xor(6, value, 0x04000000)
  round()
  xor(0, value, 0x04000000)
  xor(4, 0xff, 0)
  round()
  round()
  round()
  return ((v[0] ?? 0) ^ (v[2] ?? 0) ^ (v[4] ?? 0) ^ (v[6] ?? 0)) >>> 0
}

function round(): void {
  add(0, 2)
  rotate(2, 13)
  xor(2, v[0] ?? 0, v[1] ?? 0)
  swap(0)
  add(4, 6)
  rotate(6, 16)
  xor(6, v[4] ?? 0, v[5] ?? 0)
  add(0, 6)
  rotate(6, 21)
  xor(6, v[0] ?? 0, v[1] ?? 0)
  add(4, 2)
  rotate(2, 17)
  xor(2, v[4] ?? 0, v[5] ?? 0)
  swap(4)
}

function xor(word: number, low: number, high: number): void {
  v[word] = (v[word] ?? 0) ^ low
  v[word + 1] = (v[word + 1] ?? 0) ^ high
}

function add(to: number, from: number): void {
  const low = ((v[to] ?? 0) >>> 0) + ((v[from] ?? 0) >>> 0)
  v[to] = low
  v[to + 1] = (v[to + 1] ?? 0) + (v[from + 1] ?? 0) + (low > 0xff_ff_ff_ff ? 1 : 0)
}

/** To the left, by less than 32. */
function rotate(word: number, by: number): void {
  const low = v[word] ?? 0
  const high = v[word + 1] ?? 0
  v[word] = (low << by) | (high >>> (32 - by))
  v[word + 1] = (high << by) | (low >>> (32 - by))
}

/** By 32. */
function swap(word: number): void {
  const low = v[word] ?? 0
  v[word] = v[word + 1] ?? 0
  v[word + 1] = low
}
