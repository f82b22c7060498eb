// Decodes the Huffman code four bits at a time with a table made from its lengths. Strict about padding and EOS (RFC 7541 section 5.2).
import { latin1 } from '../../latin1.ts'
import { CODE_LENGTHS } from './huffman-code.ts'

const EOS = 256

/** By state × 16 + nibble: the next state, whether a byte comes out, and which. States are the inner nodes of the code's tree. */
const EMITS = 1 << 8
const FAILS = 1 << 9
const STEPS = new Uint32Array(256 * 16)
/** By state: 1 where a string may end: at the root, or within the first seven bits of EOS, which are ones. */
const ENDS = new Uint8Array(256)

build()

function build(): void {
  // A tree in two arrays: a positive entry is an inner node, a negative one a leaf.
  const zero = new Int32Array(256)
  const one = new Int32Array(256)
  let nodes = 1
  let code = 0
  let length = 0
  const symbols = CODE_LENGTHS.map((_, symbol) => symbol).sort((a, b) => lengthOf(a) - lengthOf(b) || a - b)
  for (const symbol of symbols) {
    code *= 2 ** (lengthOf(symbol) - length)
    length = lengthOf(symbol)
    let node = 0
    for (let bit = length - 1; bit >= 0; bit--) {
      const side = (code >>> bit) & 1 ? one : zero
      if (bit === 0) side[node] = -1 - symbol
      else node = side[node] || (side[node] = nodes++)
    }
    code++
  }
  for (let state = 0; state < nodes; state++) {
    for (let nibble = 0; nibble < 16; nibble++) STEPS[state * 16 + nibble] = step(state, nibble, zero, one)
  }
  for (let bits = 0, node = 0; bits < 8; bits++, node = one[node] ?? 0) ENDS[node] = 1
}

function lengthOf(symbol: number): number {
  return CODE_LENGTHS[symbol] ?? 0
}

function step(state: number, nibble: number, zero: Int32Array, one: Int32Array): number {
  let node = state
  let out = 0
  for (let bit = 3; bit >= 0; bit--) {
    const next = ((nibble >>> bit) & 1 ? one : zero)[node] ?? 0
    if (next >= 0) node = next
    else {
      const symbol = -1 - next
      if (symbol === EOS) return FAILS
      // The shortest code has five bits: never two in a nibble.
      out = EMITS | symbol
      node = 0
    }
  }
  return (node << 16) | out
}

/** Five bits are the least that a byte takes. */
export function mostDecoded(bytes: number): number {
  return Math.floor((bytes * 8) / 5)
}

let scratch = Buffer.allocUnsafeSlow(16 * 1024)

/** The text (latin1) of the bytes between two indexes; undefined: not a string of this code. */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string | undefined {
  const most = mostDecoded(end - start)
  if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(most)
  const out = scratch
  let length = 0
  let state = 0
  let failed = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0
    let entry = STEPS[(state << 4) | (byte >>> 4)] ?? 0
    if ((entry & EMITS) !== 0) out[length++] = entry
    failed |= entry
    entry = STEPS[((entry >>> 16) << 4) | (byte & 15)] ?? 0
    if ((entry & EMITS) !== 0) out[length++] = entry
    failed |= entry
    state = entry >>> 16
  }
  if ((failed & FAILS) !== 0 || ENDS[state] !== 1) return undefined
  return latin1(out, 0, length)
}
