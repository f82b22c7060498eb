import { expect, test } from 'vitest'
import { compileTable, match, serverName } from '../../src/table/table.ts'
import { configOf, prefix } from './routes.ts'

const table = compileTable(
  configOf({
    'foo.com': [prefix('/', 'bare')],
    '*.foo.com': [prefix('/', 'wildcard')],
    'bar.foo.com': [prefix('/api', 'bar')],
    '*': [prefix('/', 'any')],
  }),
)
const backend = (host: string, path = '/') => match(table, host, path)?.backend

test('an exact host goes before the wildcard', () => {
  expect(backend('bar.foo.com', '/api')).toBe('bar')
})

test('a wildcard takes one label', () => {
  expect(backend('baz.foo.com')).toBe('wildcard')
})

test('a wildcard does not take two labels', () => {
  expect(backend('baz.bar.foo.com')).toBe('any')
})

test('a wildcard does not take the bare domain, nor an empty label', () => {
  expect(match(compileTable(configOf({ '*.foo.com': [prefix('/')] })), 'foo.com', '/')).toBeUndefined()
  expect(match(compileTable(configOf({ '*.foo.com': [prefix('/')] })), '.foo.com', '/')).toBeUndefined()
})

test('rules without a host take the hosts that nothing else names', () => {
  expect([backend('other.org'), backend('localhost'), backend('')]).toEqual(['any', 'any', 'any'])
})

test('a host that matches answers for all its paths: no fall through to the wildcard nor to rules without a host', () => {
  expect(backend('bar.foo.com', '/elsewhere')).toBeUndefined()
})

test('a wildcard host that matches does not fall through to rules without a host', () => {
  const two = compileTable(configOf({ '*.foo.com': [prefix('/x')], '*': [prefix('/')] }))
  expect(match(two, 'a.foo.com', '/y')).toBeUndefined()
})

test('without rules nothing matches', () => {
  expect(match(compileTable(configOf({})), 'a.example', '/')).toBeUndefined()
})

test('server names: exact, then one label, then the default certificate, then none', () => {
  const serverNames = new Map([
    ['a.foo.com', { certificates: ['dev/a', 'dev/a-rsa'] }],
    ['*.foo.com', { certificates: ['dev/wild'] }],
  ])
  const named = compileTable(configOf({}, { serverNames, defaultCertificate: 'dev/default' }))
  expect(serverName(named, 'a.foo.com')).toEqual(['dev/a', 'dev/a-rsa'])
  expect(serverName(named, 'b.foo.com')).toEqual(['dev/wild'])
  expect(serverName(named, 'x.b.foo.com')).toEqual(['dev/default'])
  expect(serverName(named, undefined)).toEqual(['dev/default'])
  expect(serverName(compileTable(configOf({}, { serverNames })), 'other.org')).toEqual([])
})
