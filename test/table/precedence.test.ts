// One test per sentence of the Ingress document (kubernetes.io/docs/concepts/services-networking/ingress, "Path types",
// "Multiple matches", "Hostname wildcards") and of the comments of networking/v1 HTTPIngressPath.
import { expect, test } from 'vitest'
import { match, compileTable } from '../../src/table/table.ts'
import type { Route } from '../../src/model/routing.ts'
import { configOf, exact, prefix } from './routes.ts'

function winner(routes: readonly Route[], path: string): string | undefined {
  return match(compileTable(configOf({ 'a.example': routes })), 'a.example', path)?.backend
}

/** Both orders in which the rules may be written. */
function everyWay(a: Route, b: Route, path: string): (string | undefined)[] {
  return [winner([a, b], path), winner([b, a], path)]
}

test('Exact: matches the URL path exactly', () => {
  expect(['/foo', '/foo/', '/bar', '/foo/x'].map((path) => winner([exact('/foo', 'foo')], path))).toEqual(['foo', undefined, undefined, undefined])
})

test('Exact: with case sensitivity', () => {
  expect(winner([exact('/foo')], '/FOO')).toBeUndefined()
})

test('Exact: a trailing slash is part of the path', () => {
  expect(winner([exact('/foo/')], '/foo')).toBeUndefined()
})

test('Prefix: matches based on a URL path prefix split by /', () => {
  expect(['/foo', '/foo/', '/foo/x', '/foo/x/y'].map((path) => winner([prefix('/foo', 'foo')], path))).toEqual(['foo', 'foo', 'foo', 'foo'])
})

test('Prefix: matching is done on a path element by element basis', () => {
  expect(['/foobar', '/foob/ar', '/fo'].map((path) => winner([prefix('/foo', 'foo')], path))).toEqual([undefined, undefined, undefined])
})

test('Prefix: matching is case sensitive', () => {
  expect(winner([prefix('/foo')], '/FOO')).toBeUndefined()
})

test('Prefix: / matches all paths', () => {
  expect(['/', '/x', '/x/y', '//', '*'].map((path) => winner([prefix('/', 'all')], path))).toEqual(['all', 'all', 'all', 'all', 'all'])
})

test('Prefix: a trailing slash of the rule is ignored', () => {
  expect(['/aaa/bbb', '/aaa/bbb/', '/aaa/bbb/c', '/aaa/bbbx'].map((path) => winner([prefix('/aaa/bbb/', 'b')], path))).toEqual(['b', 'b', 'b', undefined])
})

test('Prefix: matches if the elements of the rule are all in the path, else the shorter prefix takes it', () => {
  const routes = [prefix('/aaa', 'a'), prefix('/aaa/bbb', 'b')]
  expect(['/aaa/ccc', '/aaa/bbb', '/aaa/bbb/ccc', '/aaaccc'].map((path) => winner(routes, path))).toEqual(['a', 'b', 'b', undefined])
})

test('Multiple matches: precedence is given first to the longest matching path', () => {
  expect(everyWay(prefix('/foo', 'short'), prefix('/foo/bar', 'long'), '/foo/bar/x')).toEqual(['long', 'long'])
})

test('Multiple matches: if two paths are still equally matched, Exact goes before Prefix', () => {
  expect(everyWay(prefix('/foo', 'prefix'), exact('/foo', 'exact'), '/foo')).toEqual(['exact', 'exact'])
})

test('Multiple matches: Exact /foo goes before Prefix /foo/ although the text of that is longer', () => {
  expect(everyWay(prefix('/foo/', 'prefix'), exact('/foo', 'exact'), '/foo')).toEqual(['exact', 'exact'])
})

test('Prefix /foo and /foo/ match the same paths; the longer text has priority', () => {
  expect(everyWay(prefix('/foo', 'short'), prefix('/foo/', 'long'), '/foo')).toEqual(['long', 'long'])
})

test('of two equal paths the older Ingress wins', () => {
  expect(everyWay(prefix('/', 'new', { createdAt: 2 }), prefix('/', 'old', { createdAt: 1 }), '/')).toEqual(['old', 'old'])
})

test('of two equal paths of the same age the Ingress whose namespace/name sorts first wins', () => {
  expect(everyWay(prefix('/', 'b', { ingress: 'b' }), prefix('/', 'a', { ingress: 'a' }), '/')).toEqual(['a', 'a'])
})

test('of two equal paths of one Ingress the first written wins, the tenth is after the second', () => {
  const tenth = prefix('/', 'tenth', { field: 'spec.rules[0].http.paths[10]' })
  expect(everyWay(tenth, prefix('/', 'second', { field: 'spec.rules[0].http.paths[2]' }), '/')).toEqual(['second', 'second'])
})

test('a doubled slash is an empty element, not none', () => {
  const routes = [prefix('/foo', 'foo'), prefix('/foo/bar', 'bar')]
  expect([winner(routes, '/foo//bar'), winner(routes, '//foo')]).toEqual(['foo', undefined])
})
