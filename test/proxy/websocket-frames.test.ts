// RFC 6455 on the wire: whatever the frames are, well-formed or not, and however they are cut, both sides get the bytes that the other one sent.
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTunnel, SWITCHING, type RawTunnel } from '../support/raw-tunnel.ts'
import { ScriptedUpstream } from '../support/scripted-upstream.ts'
import { startProxy, toUpstream, type TestProxy } from '../support/test-proxy.ts'

let upstream: ScriptedUpstream
let proxy: TestProxy
let tunnel: RawTunnel

beforeAll(async () => {
  upstream = await ScriptedUpstream.start(SWITCHING)
  proxy = await startProxy(toUpstream(upstream.port))
  tunnel = await openTunnel(proxy.port, upstream)
})

afterAll(async () => {
  tunnel.client.close()
  proxy.proxy.close()
  await upstream.stop()
})

interface Frame {
  readonly fin: boolean
  /** Three bits. */
  readonly reserved: number
  readonly opcode: number
  readonly mask: Uint8Array | undefined
  readonly payload: Uint8Array
  /** Bytes of the length, if not the fewest: 2 or 8. */
  readonly width?: 2 | 8
  /** Instead of the payload's length. */
  readonly claims?: bigint
}

function encode({ fin, reserved, opcode, mask, payload, width, claims }: Frame): Buffer {
  const length = claims ?? BigInt(payload.length)
  const bytes = width ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8)
  const head = Buffer.alloc(2 + bytes)
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode
  head[1] = (mask === undefined ? 0 : 0x80) | (bytes === 0 ? Number(length) : bytes === 2 ? 126 : 127)
  if (bytes === 2) head.writeUInt16BE(Number(length & 0xffffn), 2)
  if (bytes === 8) head.writeBigUInt64BE(length, 2)
  const masked = mask === undefined ? payload : payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0))
  return Buffer.concat([head, mask ?? Buffer.alloc(0), masked])
}

/** Sent in pieces that end at the given places, the other side seeing some of it before the next. */
async function send(socket: RawTunnel['client']['socket'], bytes: Buffer, cuts: readonly number[]): Promise<void> {
  let from = 0
  for (const cut of [...cuts.map((each) => each % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    if (cut > from) socket.write(bytes.subarray(from, cut))
    from = Math.max(from, cut)
    await new Promise(setImmediate)
  }
}

async function bothWays(bytes: Buffer, back: Buffer, cuts: readonly number[]): Promise<void> {
  const { client, backend } = tunnel
  client.received = Buffer.alloc(0)
  backend.received = ''
  await Promise.all([send(client.socket, bytes, cuts), send(backend.socket, back, cuts)])
  await upstream.until(() => backend.received.length >= bytes.length)
  await client.until(() => client.received.length >= back.length)
  expect(Buffer.from(backend.received, 'latin1').equals(bytes)).toBe(true)
  expect(client.received.equals(back)).toBe(true)
}

const text = (value: string): Uint8Array => Buffer.from(value)
const MASK = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d)
const plain = { fin: true, reserved: 0, mask: undefined }

const CORPUS: readonly (readonly [string, readonly Frame[]])[] = [
  ['5.7 an unmasked text message', [{ ...plain, opcode: 1, payload: text('Hello') }]],
  ['5.7 a masked text message', [{ ...plain, mask: MASK, opcode: 1, payload: text('Hello') }]],
  ['5.7 a fragmented message', [{ ...plain, fin: false, opcode: 1, payload: text('Hel') }, { ...plain, opcode: 0, payload: text('lo') }]],
  ['5.7 ping and pong', [{ ...plain, opcode: 9, payload: text('Hello') }, { ...plain, mask: MASK, opcode: 10, payload: text('Hello') }]],
  ['5.7 256 bytes', [{ ...plain, opcode: 2, payload: new Uint8Array(256) }]],
  ['5.7 64 KiB', [{ ...plain, opcode: 2, payload: new Uint8Array(65_536) }]],
  ['5.4 control frames within a fragmented message', [
    { ...plain, fin: false, opcode: 1, payload: text('a') }, { ...plain, opcode: 9, payload: text('?') }, { ...plain, fin: false, opcode: 0, payload: text('b') },
    { ...plain, opcode: 10, payload: text('!') }, { ...plain, opcode: 0, payload: text('') },
  ]],
  ['5.5.1 close without a body', [{ ...plain, opcode: 8, payload: text('') }]],
  ...[999, 1000, 1001, 1005, 1006, 1011, 1015, 3000, 4999, 65_535].map((code): [string, Frame[]] => [
    `7.4 close code ${code}`, [{ ...plain, opcode: 8, payload: Buffer.concat([Uint8Array.of(code >> 8, code & 255), text('why')]) }],
  ]),
  ['5.5 a control frame that is too long', [{ ...plain, opcode: 9, payload: new Uint8Array(126) }]],
  ['5.5 a fragmented control frame', [{ ...plain, fin: false, opcode: 9, payload: text('?') }]],
  ['5.2 reserved bits and opcodes', [1, 2, 4, 7].flatMap((reserved) => [3, 7, 11, 15].map((opcode) => ({ ...plain, reserved, opcode, payload: text('x') })))],
  ['5.2 lengths in more bytes than they need', [{ ...plain, opcode: 1, payload: text('x'), width: 2 }, { ...plain, opcode: 1, payload: text('x'), width: 8 }]],
  ['5.2 a length of 2^63 - 1, of which little comes', [{ ...plain, opcode: 2, payload: text('begin'), width: 8, claims: 2n ** 63n - 1n }]],
  ['5.2 a length with the highest bit', [{ ...plain, opcode: 2, payload: text('begin'), width: 8, claims: 2n ** 64n - 1n }]],
  ['5.4 a continuation of nothing', [{ ...plain, opcode: 0, payload: text('?') }]],
  ['8.1 text that is no UTF-8', [{ ...plain, opcode: 1, payload: Uint8Array.of(0xce, 0xba, 0xe1, 0xbd, 0xb9, 0xed, 0xa0, 0x80, 0xff) }]],
  ['1 MiB in one frame', [{ ...plain, opcode: 2, payload: new Uint8Array(1024 * 1024).map((_, index) => index * 31) }]],
]

for (const [what, frames] of CORPUS) {
  it(`RFC 6455 ${what}`, async () => {
    const bytes = Buffer.concat(frames.map(encode))
    await bothWays(bytes, Buffer.from(bytes.toReversed()), [])
    // Byte by byte where that is soon done.
    await bothWays(bytes, bytes, Array.from({ length: Math.min(bytes.length, 100) }, (_, index) => index))
  })
}

const frame = fc.record({
  fin: fc.boolean(),
  reserved: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(7)),
  opcode: fc.constantFrom(0, 1, 1, 2, 2, 8, 9, 10, 3, 15),
  mask: fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 }), { nil: undefined }),
  payload: fc.oneof(
    { weight: 6, arbitrary: fc.uint8Array({ maxLength: 130 }) },
    fc.tuple(fc.constantFrom(4095, 4096, 4097, 16_384, 32_768, 65_535, 65_536, 131_072), fc.nat(255)).map(([size, seed]) => new Uint8Array(size).map((_, index) => index * 7 + seed)),
  ),
})

it('any frames in any segmentation are the same on the other side', { timeout: 120_000 }, async () => {
  const frames = fc.array(frame, { minLength: 1, maxLength: 6 }).map((each) => Buffer.concat(each.map(encode)))
  await fc.assert(
    fc.asyncProperty(frames, frames, fc.array(fc.nat(200_000), { maxLength: 12 }), bothWays),
    { seed: 6455, numRuns: 300 },
  )
})
