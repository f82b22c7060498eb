// Paths of rules are in the form that the data plane brings request paths into: otherwise a rule would never match.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { normalisePath } from '../../src/http/http1/path.ts'
import { parsePath } from '../../src/translate/path.ts'

test('the path of a rule is what the path of a request for it becomes', () => {
  const character = fc.oneof(fc.constantFrom('/', '%', '%7e', '%7E', '%2f', '%c3', '%20', '.', '..', '~', '|', '"', '^', '{', ' ', 'é', ';', '=', '+', '(', '$', '\\', '?', '#'), fc.string({ maxLength: 2 }))
  fc.assert(
    fc.property(fc.array(character, { maxLength: 8 }), (parts) => {
      const parsed = parsePath(`/${parts.join('')}`)
      if ('wrong' in parsed) return
      expect(normalisePath(parsed.path)).toBe(parsed.path)
      expect(parsePath(parsed.path)).toEqual(parsed)
    }),
    { seed: 5, numRuns: 2_000 },
  )
})

test.each(['/..;/a', '/a/%2e%2e;x', '/a\\..', '/a%5c..', '/%00', '/\u0000', '/\ud800', '//', '/a%2fb', 'a'])('%s is refused', (text) => {
  expect(parsePath(text)).toHaveProperty('wrong')
})

test.each([
  ['', '/'],
  ['/', '/'],
  ['/%7Euser/%41', '/~user/A'],
  ['/%e2%82%ac', '/%E2%82%AC'],
  ['/%40%3a%2B', '/@:+'],
  ['/€', '/%E2%82%AC'],
  ['/a b', '/a%20b'],
  ['/50%', '/50%25'],
  ['/foo(/|$)(.*)', '/foo(/%7C$)(.*)'],
])('%s is %s', (text, path) => {
  expect(parsePath(text)).toEqual({ path })
})
