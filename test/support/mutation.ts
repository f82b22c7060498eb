// Messages bent at random, always the same for the same seed.

/** Numbers below `below`, by mulberry32. */
export type Random = (below: number) => number

export function randomFrom(seed: number): Random {
  let state = seed | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** One of the templates after up to three edits: bytes taken out, repeated, or replaced by a piece. */
export function mutated(random: Random, templates: readonly string[], pieces: readonly string[]): string {
  let bytes = templates[random(templates.length)] ?? ''
  for (let edits = random(4); edits > 0; edits--) {
    const at = random(bytes.length + 1)
    const kind = random(4)
    if (kind === 0) bytes = bytes.slice(0, at) + bytes.slice(at + 1 + random(3))
    else if (kind === 1) bytes = bytes.slice(0, at) + bytes.slice(at, at + random(30)) + bytes.slice(at)
    else bytes = bytes.slice(0, at) + (pieces[random(pieces.length)] ?? '') + bytes.slice(at + random(2))
  }
  return bytes
}
