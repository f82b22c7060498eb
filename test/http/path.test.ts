import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalisePath } from '../../src/http/http1/path.ts'

const CASES: readonly (readonly [string, string | undefined])[] = [
  ['/', '/'],
  ['/a/b', '/a/b'],
  ['/a/b/', '/a/b/'],
  ['//', '/'],
  ['//a///b//', '/a/b/'],
  ['/a/./b', '/a/b'],
  ['/a/.', '/a/'],
  ['/a/..', '/'],
  ['/a/b/..', '/a/'],
  ['/a/../b', '/b'],
  ['/a/%2e%2E/b', '/b'],
  ['/..', undefined],
  ['/a/../..', undefined],
  ['/a/../../b', undefined],
  ['/%2e%2e/b', undefined],
  ['/.well-known/x', '/.well-known/x'],
  ['/...', '/...'],
  ['/a..', '/a..'],
  ['/%61%2D%7e', '/a-~'],
  ['/a%2fb', '/a/b'],
  ['/a%2F', '/a/'],
  ['/a%2F%2Fb', '/a/b'],
  ['/a//../b', undefined],
  ['/a//b/../c', '/a/c'],
  ['/a//b/../../c', undefined],
  ['/a%2fb/../c', undefined],
  ['/a\\b/../c', undefined],
  ['/a%5Cb/../c', undefined],
  ['/a%2fb/c/../d', '/a/b/d'],
  ['/a%2f..%2fb', undefined],
  ['/a/..%2fb', undefined],
  ['/a/%2e%2e%2fb', undefined],
  ['/a/..%5cb', undefined],
  ['/a/..\\b', undefined],
  ['/a\\b', '/a\\b'],
  ['/a/..;x/b', undefined],
  ['/a/.;/b', undefined],
  ['/a;x=1/b', '/a;x=1/b'],
  ['/a%00b', undefined],
  ['/a%', undefined],
  ['/a%4', undefined],
  ['/a%zz', undefined],
  ['/a%25b', '/a%25b'],
  ['/a%252e%252e', '/a%252e%252e'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['/a%3fb', '/a%3Fb'],
  ['/a%20b', '/a%20b'],
  ['/%40a%3B', '/@a;'],
]

describe('the form that routes are matched on', () => {
  for (const [path, expected] of CASES) it(`${path} is ${expected ?? 'refused'}`, () => expect(normalisePath(path)).toBe(expected))
})

const piece = fc.constantFrom('/', '/', '.', '..', 'a', 'b', '%2e', '%2E', '%2f', '%5c', '\\', '%61', ';', '%00', '%', '%25', '%c3', '..;', 'x')
const path = fc.array(piece, { maxLength: 12 }).map((parts) => `/${parts.join('')}`)

/** The slow and obvious way: every reading that a server might have of the path, by brute force. */
function reference(path: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(path) || /%00/.test(path)) return undefined
  const literal = path.split('/').map((segment) => segment.replace(/%2e/gi, '.'))
  // A dot segment that only some readings have: refused.
  for (const segment of literal) {
    if (/^\.\.?;/.test(segment.replace(/%3b/gi, ';'))) return undefined
    const parts = segment.replace(/%3b/gi, ';').split(/%2f|%5c|\\/i)
    if (parts.length > 1 && parts.some((part) => /^\.\.?(;.*)?$/.test(part))) return undefined
  }
  const out: string[] = []
  let open = true
  for (const segment of literal.slice(1)) {
    open = segment === '' || segment === '.' || segment === '..' || /%2f$/i.test(segment)
    if (segment === '..') {
      const above = out.pop()
      if (above === undefined || above === '' || /%2f|%5c|\\/i.test(above)) return undefined
    } else if (segment !== '.') out.push(segment)
  }
  const parts = out.flatMap((segment) => segment.split(/%2f/i)).filter((part) => part !== '')
  const decoded = parts.map((segment) => segment.replace(/%[0-9a-f]{2}/gi, (escape) => (escape === '%61' ? 'a' : escape.toUpperCase())))
  return `/${decoded.join('/')}${open && decoded.length > 0 ? '/' : ''}`
}

describe('for any path', () => {
  it('says what the reference says', () => {
    fc.assert(
      fc.property(path, (each) => {
        expect(normalisePath(each)).toBe(reference(each))
      }),
      { seed: 2, numRuns: 20_000 },
    )
  })

  it('leaves nothing to normalise and no dot segment in any reading', () => {
    fc.assert(
      fc.property(path, (each) => {
        const normal = normalisePath(each)
        if (normal === undefined) return
        expect(normalisePath(normal)).toBe(normal)
        expect(normal).not.toMatch(/\/\/|(?:^|[/\\]|%5c|%2f)\.\.?(?:[/\\;]|%5c|%2f|$)/i)
      }),
      { seed: 3, numRuns: 20_000 },
    )
  })
})
