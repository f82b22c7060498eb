// The form of a path that routes are matched on. The backend receives what the client sent; this decides only who it is.

// Nothing here can change under normalisation: no escape, no dot segment, no empty segment, no path parameter.
const NEEDS_WORK = /[%\\;]|\/\.|\/\//
const PCHAR = /^[A-Za-z0-9\-._~!$&'()*+,;=:@]$/
const DOTS_WITH_PARAMETER = /^\.\.?;/

/**
 * As ingress-nginx matches: escapes of characters that need none are decoded (`%2F` counts as a slash), dot segments are resolved,
 * `//` is one slash; other escapes stay, in upper case. Undefined (400) when the path climbs above the root, holds
 * a broken escape or `%00`, or when an escaped slash, a backslash or a path parameter (`..;`) makes a dot segment: servers
 * disagree on what such a path names, and with it on which route's policy holds. For the same reason `..` may not follow upon
 * an empty segment, or upon one with an escaped slash or a backslash in it.
 * @param path origin-form path without query, beginning with `/`
 */
export function normalisePath(path: string): string | undefined {
  if (!NEEDS_WORK.test(path)) return path
  const kept: string[] = []
  let directory = false
  for (const raw of path.slice(1).split('/')) {
    const segment = decodeSegment(raw)
    if (segment === undefined) return undefined
    directory = segment === '' || segment === '.' || segment === '..' || segment.endsWith('/')
    if (segment === '..') {
      const above = kept.pop()
      if (above === undefined || !isOneSegment(above)) return undefined
    } else if (segment !== '.') kept.push(segment)
  }
  const merged = kept.join('/').split('/').filter((part) => part !== '').join('/')
  return merged === '' ? '/' : `/${merged}${directory ? '/' : ''}`
}

/** For every server: an empty one is none for some, and an escaped slash or a backslash makes two of it. */
function isOneSegment(segment: string): boolean {
  return segment !== '' && !/[/\\]|%5C/.test(segment)
}

/** Between two literal slashes; slashes in the answer were escaped. */
function decodeSegment(raw: string): string | undefined {
  const segment = raw.includes('%') ? decode(raw) : raw
  if (segment === undefined || DOTS_WITH_PARAMETER.test(segment)) return undefined
  if (segment.includes('/') || segment.includes('\\') || segment.includes('%5C')) {
    const parts = segment.split(/[/\\]|%5C/)
    if (parts.some((part) => part === '.' || part === '..' || DOTS_WITH_PARAMETER.test(part))) return undefined
  }
  return segment
}

function decode(raw: string): string | undefined {
  let decoded = ''
  let position = 0
  for (;;) {
    const escape = raw.indexOf('%', position)
    if (escape < 0) return decoded + raw.slice(position)
    const hex = raw.slice(escape + 1, escape + 3)
    if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return undefined
    const code = Number.parseInt(hex, 16)
    if (code === 0) return undefined
    const character = String.fromCharCode(code)
    decoded += raw.slice(position, escape) + (character === '/' || PCHAR.test(character) ? character : `%${hex.toUpperCase()}`)
    position = escape + 3
  }
}
