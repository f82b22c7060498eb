// What to do with a field, by the bytes of its name in a head. Not a Map: looking up a string that was just cut from a head first makes it
// one of the engine's unique strings, at 0.1 µs a field. Most fields are in no table, and their length and first letter tell so.

export class FieldTable<Meaning> {
  readonly #byKey: ([name: Uint8Array, meaning: Meaning][] | undefined)[] = Array.from({ length: 32 * 32 }, () => undefined)

  /** Names in lower case, shorter than 32. */
  constructor(entries: Iterable<readonly [string, Meaning]>) {
    for (const [name, meaning] of entries) {
      const at = key(name.length, name.charCodeAt(0))
      ;(this.#byKey[at] ??= []).push([Buffer.from(name, 'latin1'), meaning])
    }
  }

  /** The name is a token between two indexes, in either case. */
  find(bytes: Uint8Array, start: number, end: number): Meaning | undefined {
    const length = end - start
    if (length >= 32) return undefined
    const candidates = this.#byKey[key(length, bytes[start] ?? 0)]
    if (candidates === undefined) return undefined
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[i]
      if (candidate !== undefined && isSameName(bytes, start, candidate[0])) return candidate[1]
    }
    return undefined
  }
}

/** Letters of either case fall on one key. */
function key(length: number, first: number): number {
  return (length << 5) | (first & 31)
}

/** Whether the token at `start` begins with a name in lower case. Setting one bit puts letters in lower case and makes no
 * other character of a token one that names have. */
export function isSameName(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) {
    if (((bytes[start + i] ?? 0) | 32) !== name[i]) return false
  }
  return true
}
