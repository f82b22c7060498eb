// The lookup against its definition, and what a change costs.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyDelta, diffRouting, ownRouting, wholeRouting } from '../../src/model/delta.ts'
import type { Route } from '../../src/model/routing.ts'
import { candidates } from '../../src/table/candidates.ts'
import { pathMatches } from '../../src/table/paths.ts'
import { comparePrecedence, precedenceOf } from '../../src/table/precedence.ts'
import { compileTable, forgetHosts, match } from '../../src/table/table.ts'
import { configOf, exact, prefix, route } from './routes.ts'

const element = fc.constantFrom('a', 'b', 'A', 'ab', 'x.y', '%2F', '')
const anyPath = fc.tuple(fc.array(element, { maxLength: 4 }), fc.boolean()).map(([parts, slash]) => `/${parts.join('/')}${slash ? '/' : ''}`)
const anyRoute = fc
  .tuple(fc.constantFrom('Exact' as const, 'Prefix' as const), anyPath, fc.nat(3), fc.constantFrom('a', 'b', 'c'))
  .map(([pathType, path, createdAt, ingress]) => route(pathType, path.replaceAll(/\/+/g, '/'), undefined, { createdAt, ingress }))

function bySearch(routes: readonly Route[], path: string): Route | undefined {
  return routes
    .filter((candidate) => pathMatches(candidate, path))
    .sort((a, b) => comparePrecedence(precedenceOf('h', a), precedenceOf('h', b)))[0]
}

test('the lookup finds what a search through all routes by the comparator finds', () => {
  fc.assert(
    fc.property(fc.array(anyRoute, { maxLength: 12 }), anyPath, (routes, path) => {
      const found = match(compileTable(configOf({ h: routes })), 'h', path)
      expect(found).toEqual(bySearch(routes, path))
    }),
    { seed: 7, numRuns: 2000 },
  )
})

test('the candidate that wins is the one that match answers', () => {
  fc.assert(
    fc.property(fc.array(anyRoute, { maxLength: 8 }), fc.array(anyRoute, { maxLength: 4 }), anyPath, (own, shared, path) => {
      const table = compileTable(configOf({ 'a.h': own, '*.h': shared, '*': shared }))
      const all = candidates(table, 'a.h', path)
      expect(all.filter(({ verdict }) => verdict === 'wins').map((winner) => winner.route)).toEqual([match(table, 'a.h', path)].filter(Boolean))
      expect(all).toHaveLength(own.length + 2 * shared.length)
    }),
    { seed: 7, numRuns: 500 },
  )
})

test('each loser says why', () => {
  const table = compileTable(
    configOf({
      'a.example': [
        exact('/foo', 'exact'),
        prefix('/foo', 'prefix'),
        prefix('/', 'young', { createdAt: 5 }),
        prefix('/', 'old', { createdAt: 1 }),
        prefix('/foo/bar', 'deep'),
      ],
      '*': [prefix('/', 'any')],
    }),
  )
  expect(candidates(table, 'a.example', '/foo').map(({ route, verdict, why }) => `${route.backend}: ${verdict}, ${why}`)).toEqual([
    'exact: wins, Exact /foo is the best match of host a.example',
    'deep: path-differs, the path is not /foo/bar nor below it',
    'prefix: outranked, an Exact path goes before a Prefix',
    'old: outranked, an Exact path goes before a Prefix',
    'young: outranked, an Exact path goes before a Prefix',
    'any: host-outranked, host a.example is more exact and answers for all its paths',
  ])
  expect(candidates(table, 'a.example', '/zoo').map(({ route, verdict, why }) => `${route.backend}: ${verdict}, ${why}`)).toContain(
    'young: outranked, the same path is in an older Ingress',
  )
})

test('a configuration that changes in place: only hosts that changed are compiled anew, those that are gone are forgotten', () => {
  const config = ownRouting()
  const first = configOf({ a: [prefix('/', 'a')], b: [prefix('/', 'b')], c: [prefix('/', 'c')] })
  applyDelta(config, wholeRouting(first))
  const table = compileTable(config)
  for (const host of ['a', 'b', 'c']) expect(match(table, host, '/')?.backend).toBe(host)
  const kept = table.compiled.get('b')
  const delta = diffRouting(first, { ...first, hosts: new Map([...configOf({ a: [prefix('/', 'a2')] }).hosts, ...[...first.hosts].filter(([name]) => name === 'b')]) })
  applyDelta(config, delta)
  forgetHosts(table, delta.hosts.deleted)
  expect(match(table, 'a', '/')?.backend).toBe('a2')
  expect(match(table, 'b', '/')?.backend).toBe('b')
  expect(match(table, 'c', '/')).toBeUndefined()
  expect(table.compiled.get('b')).toBe(kept)
  expect([...table.compiled.keys()].sort()).toEqual(['a', 'b'])
})

test('a path of many slashes costs no more than the prefixes that exist', () => {
  const table = compileTable(configOf({ a: [prefix('/', 'root')] }))
  expect(match(table, 'a', '/'.repeat(1_000_000))?.backend).toBe('root')
})
