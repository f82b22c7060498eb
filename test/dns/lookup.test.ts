// Real questions to a DNS server on loopback: both families, TTLs, aliases, and each way of not getting an answer.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dnsLookup, LookupFailure, type Lookup } from '../../src/dns/lookup.ts'
import { ScriptedDns } from '../support/scripted-dns.ts'

let server: ScriptedDns
let lookup: Lookup
beforeEach(async () => {
  server = await ScriptedDns.start()
  lookup = dnsLookup([server.address])
})
afterEach(() => server.close())

test('finds the addresses of both families, with the shortest TTL', async () => {
  server.names.set('db.example.com', { a: ['192.0.2.1', '192.0.2.2'], aaaa: ['2001:db8::1'], ttl: 17 })
  expect(await lookup('db.example.com')).toEqual({ addresses: ['192.0.2.1', '192.0.2.2', '2001:db8::1'], ttl: 17 })
})

test('follows an alias', async () => {
  server.names.set('alias.example.com', { cname: 'real.example.net', a: ['192.0.2.3'], ttl: 9 })
  expect(await lookup('alias.example.com')).toEqual({ addresses: ['192.0.2.3'], ttl: 9 })
})

test('asks again every time: nothing between keeps the answer', async () => {
  server.names.set('db.example.com', { a: ['192.0.2.1'], ttl: 3600 })
  await lookup('db.example.com')
  server.names.set('db.example.com', { a: ['192.0.2.2'], ttl: 3600 })
  expect((await lookup('db.example.com')).addresses).toEqual(['192.0.2.2'])
})

test('finds no address of a name that does not exist, or has none', async () => {
  server.names.set('empty.example.com', {})
  expect((await lookup('nobody.example.com')).addresses).toEqual([])
  expect((await lookup('empty.example.com')).addresses).toEqual([])
})

test('takes a name as it is, without search domains', async () => {
  await lookup('db')
  expect(new Set(server.asked)).toEqual(new Set(['A db', 'AAAA db']))
})

test('fails when the server does', async () => {
  server.names.set('db.example.com', 'SERVFAIL')
  await expect(lookup('db.example.com')).rejects.toThrow(new LookupFailure('SERVFAIL'))
})

test('never asks for localhost', async () => {
  expect((await lookup('app.localhost')).addresses).toEqual(['127.0.0.1', '::1'])
  expect(server.asked).toEqual([])
})
