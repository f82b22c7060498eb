// The character classes of RFC 9110 §5.6.2 and RFC 9112, as one table and two expressions.

export const PLAIN = 1
export const UNDERSCORE = 2

/** By byte: PLAIN or UNDERSCORE for a `tchar`, else 0. The underscore is told apart because fields with it are not forwarded. */
export const TOKEN: Uint8Array = tokenTable()

/** Finds a byte that no head may hold, or a CR that does not begin a line end. Text must be latin1 and end with a line end. */
export const ILLEGAL = /[^\t\r\n -~\u0080-\u00ff]|\r[^\n]/

/** By byte: 1 where a request target may hold it: visible ASCII without the fragment mark. */
export const IN_TARGET: Uint8Array = new Uint8Array(256).fill(1, 33, 127)
IN_TARGET['#'.charCodeAt(0)] = 0

/** Finds a byte that it may not hold. */
export const NOT_IN_TARGET = /[^!-"$-~]/

function tokenTable(): Uint8Array {
  const table = new Uint8Array(256)
  for (const c of "!#$%&'*+-.^`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") table[c.charCodeAt(0)] = PLAIN
  table['_'.charCodeAt(0)] = UNDERSCORE
  return table
}

export function isToken(text: string): boolean {
  if (text === '') return false
  for (let i = 0; i < text.length; i++) if (!TOKEN[text.charCodeAt(i)]) return false
  return true
}

/** Index after the token that begins at `start`. */
export function tokenEnd(text: string, start: number): number {
  let i = start
  while (TOKEN[text.charCodeAt(i)]) i++
  return i
}
