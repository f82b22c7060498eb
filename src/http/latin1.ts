// Bytes to text. `toString('latin1', …)` of a Buffer looks for the meaning of its arguments for longer than it converts a head.

type Slice = (this: Buffer, start: number, end: number) => string

const slice: unknown = Reflect.get(Buffer.prototype, 'latin1Slice')
const usable = isSlice(slice) ? slice : undefined

export function latin1(bytes: Buffer, start: number, end: number): string {
  return usable === undefined ? bytes.toString('latin1', start, end) : usable.call(bytes, start, end)
}

function isSlice(value: unknown): value is Slice {
  return typeof value === 'function'
}

/** The same text in one piece, not joined from others and not cut from another that would be kept with it: for what is written many times. */
export function inOnePiece(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
