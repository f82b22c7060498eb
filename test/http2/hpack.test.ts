// HPACK against Python's hpack, both ways; and against bytes that are nobody's encoding.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { FieldList } from '../../src/http/http2/field-list.ts'
import { Decoder, staticTable } from '../../src/http/http2/hpack/decoder.ts'
import { DynamicTable } from '../../src/http/http2/hpack/dynamic-table.ts'
import { encodeField, encodeFieldLines, encodeInteger } from '../../src/http/http2/hpack/encoder.ts'
import { decodeHuffman, mostDecoded } from '../../src/http/http2/hpack/huffman.ts'
import { STATIC_FIELDS } from '../../src/http/http2/hpack/static-table.ts'
import { Field, FieldName } from '../../src/http/http2/field.ts'

type Fields = readonly (readonly [name: string, value: string])[]

const python = spawn('/usr/bin/python3', ['test/http2/judge/hpack_judge.py'], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } })
const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]()
afterAll(() => python.stdin.end())

async function ask(task: object): Promise<Record<string, unknown>> {
  python.stdin.write(`${JSON.stringify(task)}\n`)
  const answer: unknown = JSON.parse(String((await lines.next()).value))
  return typeof answer === 'object' && answer !== null ? { ...answer } : {}
}

const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])

const latin1Text = (maxLength: number) => fc.array(fc.integer({ min: 0x20, max: 0xff }), { maxLength }).map((codes) => String.fromCharCode(...codes))
const nameText = fc.oneof(
  fc.constantFrom(...STATIC_FIELDS.map(([name]) => name)),
  fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
)
const field = fc.oneof(
  fc.constantFrom(...STATIC_FIELDS),
  fc.tuple(nameText, fc.oneof(fc.constantFrom('', 'a', 'gzip, deflate', 'x'.repeat(150)), latin1Text(60))),
)
const lists = fc.array(fc.array(field, { maxLength: 12 }), { minLength: 1, maxLength: 6 })

/** All fields, pseudo ones and those that no message may have too. */
class Recorder extends FieldList {
  readonly seen: [string, string][] = []

  override add(each: Field): void {
    this.seen.push([each.name.text, each.value])
  }
}

const STATIC = staticTable()

function decodeAll(blocks: readonly string[], most = 2 ** 20): Fields[] | undefined {
  const decoder = new Decoder(STATIC, most)
  const out: Fields[] = []
  for (const block of blocks) {
    const bytes = Buffer.from(block, 'hex')
    const list = new Recorder()
    if (!decoder.decode(bytes, 0, bytes.length, list)) return undefined
    out.push(list.seen)
  }
  return out
}

describe('HPACK', () => {
  it("reads what Python's encoder writes: tables that change their size, Huffman or not, never indexed fields", async () => {
    await fc.assert(
      fc.asyncProperty(lists, fc.infiniteStream(fc.option(fc.integer({ min: 0, max: 4096 }), { freq: 3 })), fc.infiniteStream(fc.boolean()), async (given, sizes, huffman) => {
        const answer = await ask({ encode: given, sizes: given.map(() => sizes.next().value ?? null), huffman: given.map(() => huffman.next().value ?? true) })
        expect(decodeAll(strings(answer['blocks']))).toEqual(given)
      }),
      { seed: 7541, numRuns: 400 },
    )
  })

  it("writes what Python's decoder reads", async () => {
    await fc.assert(
      fc.asyncProperty(lists, async (given) => {
        const blocks = given.map((fields) => fields.map(([name, value]) => encodeField(name, value)).join(''))
        const answer = await ask({ decode: blocks.map((block) => Buffer.from(block, 'latin1').toString('hex')) })
        expect(answer['lists']).toEqual(given)
      }),
      { seed: 7541, numRuns: 400 },
    )
  })

  it('writes field lines as it writes fields, the first time and from memory', () => {
    const sample = fc.tuple(fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/), fc.stringMatching(/^([!-~]([ -~]{0,20}[!-~])?)?$/))
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 10 }), (fields) => {
        const text = fields.map(([name, value]) => (value === '' ? `${name}:\r\n` : `${name}: ${value}\r\n`)).join('')
        const block = fields.map(([name, value]) => encodeField(name.toLowerCase(), value)).join('')
        expect(encodeFieldLines(text)).toBe(block)
        expect(encodeFieldLines(text)).toBe(block)
      }),
      { seed: 1, numRuns: 2000 },
    )
  })

  it('reads the examples of RFC 7541 appendix C', () => {
    const requests = ['828684410f7777772e6578616d706c652e636f6d', '828684be58086e6f2d6361636865', '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565']
    const huffman = ['828684418cf1e3c2e5f23a6ba0ab90f4ff', '828684be5886a8eb10649cbf', '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf']
    const plain = decodeAll(requests)
    expect(plain?.[2]).toEqual([[':method', 'GET'], [':scheme', 'https'], [':path', '/index.html'], [':authority', 'www.example.com'], ['custom-key', 'custom-value']])
    expect(decodeAll(huffman)).toEqual(plain)
  })

  it('codes every integer as the RFC does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 24 }), (value) => {
        const text = `\x00\x01a${encodeInteger(value, 7, 0)}`
        // As the length of a string that is not there: refused, unless it is 0.
        expect(decodeAll([Buffer.from(text, 'latin1').toString('hex')]) === undefined).toBe(value > 0)
      }),
      { seed: 5, numRuns: 500 },
    )
    expect(encodeInteger(1337, 5, 0)).toBe('\x1f\x9a\x0a')
  })

  it('bears any bytes: it decodes or refuses, and its table keeps to its bound', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), (blocks) => {
        const decoder = new Decoder(STATIC, 4000)
        for (const block of blocks) {
          const list = new FieldList()
          if (!decoder.decode(Buffer.from(block), 0, block.length, list)) return
          expect(list.fields.reduce((sum, each) => sum + each.size, 0)).toBeLessThanOrEqual(4000)
          expect(list.oversized).toBe(list.size > 4000)
        }
      }),
      { seed: 11, numRuns: 20_000 },
    )
  })

  it('bears mutations of good blocks', async () => {
    const { blocks } = await ask({ encode: [STATIC_FIELDS, [['x-a', 'b'.repeat(99)], ['x-a', 'b'.repeat(99)]]], sizes: [null, 100], huffman: [true, true] })
    const good = strings(blocks).map((block) => Buffer.from(block, 'hex'))
    fc.assert(
      fc.property(fc.nat(1), fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { minLength: 1, maxLength: 5 }), fc.nat(2000), (which, changes, cut) => {
        const bytes = Buffer.from(good[which] ?? Buffer.alloc(1))
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte
        const list = new Recorder()
        const end = bytes.length - (cut % bytes.length) * (cut % 2)
        new Decoder(STATIC, 4000).decode(bytes, 0, end, list)
        expect(list.seen.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0)).toBeLessThanOrEqual(4000)
      }),
      { seed: 12, numRuns: 20_000 },
    )
  })

  it('makes nothing of a list that is too large, but keeps its table in step', () => {
    const decoder = new Decoder(STATIC, 100)
    const block = Buffer.from(`\x00\x01a\x7f\x81\x01${'v'.repeat(256)}\x40\x01b\x01c`, 'latin1')
    const list = new FieldList()
    expect(decoder.decode(block, 0, block.length, list)).toBe(true)
    expect([list.oversized, list.fields.length]).toEqual([true, 0])
    list.clear()
    expect(decoder.decode(Buffer.from([0xbe]), 0, 1, list)).toBe(true)
    expect(list.fields.map(({ line }) => line)).toEqual(['b: c\r\n'])
  })

  it('holds a smaller table against a peer that goes on as before', () => {
    const decoder = new Decoder(STATIC, 1000)
    const list = new FieldList()
    decoder.setLimit(0)
    expect(decoder.decode(Buffer.from([0x82]), 0, 1, list)).toBe(false)
    const other = new Decoder(STATIC, 1000)
    other.setLimit(0)
    expect(other.decode(Buffer.from([0x20, 0x82]), 0, 2, list)).toBe(true)
    expect(other.decode(Buffer.from([0x21, 0x82]), 0, 2, list)).toBe(false)
  })

  it('expands a Huffman string to no more than its bound', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decodeHuffman(Buffer.from(bytes), 0, bytes.length)?.length ?? 0).toBeLessThanOrEqual(mostDecoded(bytes.length))
      }),
      { seed: 13, numRuns: 5000 },
    )
  })
})

describe('dynamic table', () => {
  it('is the newest entries that fit', () => {
    const name = new FieldName('x')
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(120), fc.record({ resize: fc.nat(500) })), { maxLength: 200 }), (steps) => {
        const table = new DynamicTable(400)
        let limit = 400
        let model: Field[] = []
        const trim = (): void => {
          while (model.reduce((sum, each) => sum + each.size, 0) > limit) model.pop()
        }
        for (const step of steps) {
          if (typeof step === 'number') {
            const added = new Field(name, 'v'.repeat(step))
            table.add(added)
            model.unshift(added)
          } else table.resize((limit = step.resize))
          // An entry that does not fit leaves the table empty.
          if (model[0] !== undefined && model[0].size > limit) model = []
          trim()
          expect(model.map((_, i) => table.get(i))).toEqual(model)
          expect(table.get(model.length)).toBeUndefined()
          expect(table.size).toBe(model.reduce((sum, each) => sum + each.size, 0))
        }
      }),
      { seed: 14, numRuns: 500 },
    )
  })
})
