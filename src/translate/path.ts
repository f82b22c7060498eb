// Paths as Ingress rules may have them, in the form that requests are matched in.

/**
 * The path in normal form (percent-encoded characters that need no encoding in a path decoded, hex digits upper case,
 * characters that no path can hold encoded), or what is wrong with it. An empty path is `/`.
 */
export function parsePath(text: string): { readonly path: string } | { readonly wrong: string } {
  if (text === '') return { path: '/' }
  if (!text.startsWith('/')) return { wrong: 'does not begin with `/`' }
  if (text.length > 4096) return { wrong: 'is longer than 4096 characters' }
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20 || text.charCodeAt(i) === 0x7f) return { wrong: 'holds a control character' }
  if (!text.isWellFormed()) return { wrong: 'is not well-formed Unicode' }
  const path = normalise(text)
  // A request never has these after normalisation, so such a path could only confuse.
  if (path.includes('//')) return { wrong: 'holds `//`' }
  if (path.split(/\/|%5C/).some((segment) => DOT_SEGMENT.test(segment))) return { wrong: 'holds a `.` or `..` segment' }
  if (path.includes('%00')) return { wrong: 'holds a control character' }
  if (path.includes('%2F')) return { wrong: 'holds an encoded slash (`%2F`)' }
  return { path }
}

/** Also with a path parameter (`..;`), which some servers cut off. */
const DOT_SEGMENT = /^\.\.?(?:;|$)/
/** Characters that stay as they are in a path: `pchar` of RFC 3986 §3.3. */
const PCHAR = /^[A-Za-z0-9\-._~!$&'()*+,;=:@]$/

function normalise(text: string): string {
  let out = ''
  for (let i = 0; i < text.length; ) {
    const escape = text[i] === '%' && /^[0-9A-Fa-f]{2}$/.test(text.slice(i + 1, i + 3)) ? text.slice(i + 1, i + 3) : undefined
    if (escape !== undefined) {
      const character = String.fromCharCode(Number.parseInt(escape, 16))
      out += PCHAR.test(character) ? character : `%${escape.toUpperCase()}`
      i += 3
      continue
    }
    const character = String.fromCodePoint(text.codePointAt(i) ?? 0)
    out += character === '/' || PCHAR.test(character) ? character : percentEncode(character)
    i += character.length
  }
  return out
}

function percentEncode(character: string): string {
  return [...Buffer.from(character, 'utf8')].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}
