import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { accessLine, createAccessLog } from '../../src/observe/access-log.ts'
import { prefix } from '../table/routes.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { requestRecord } from './request-record.ts'

test('a line tells who asked what, what was answered, and which objects did', () => {
  const line = accessLine(requestRecord({ route: prefix('/', 'web').source, failure: 'response-cut', tls: true, duration: 1.23456 }))
  expect(JSON.parse(line)).toEqual({
    time: '2030-01-02T03:04:05.678Z',
    requestId: 'abc',
    client: '192.0.2.7',
    scheme: 'https',
    protocol: '1.1',
    method: 'GET',
    host: 'a.example',
    path: '/x',
    status: 200,
    durationMs: 1.235,
    responseStartMs: 1,
    bytesIn: 10,
    bytesOut: 100,
    tries: 1,
    backend: 'dev/web:80',
    endpoint: '10.0.0.1:8080',
    namespace: 'dev',
    ingress: 'web',
    service: 'web',
    failure: 'response-cut',
  })
})

test('whatever a client sends is one line of valid JSON without control characters, and comes back as it was', () => {
  const hostile = fc.array(fc.nat(0xff_ff), { maxLength: 40 }).map((units) => `${String.fromCharCode(...units)}\r\n"\\\u0085\u2028\ud800`)
  fc.assert(
    fc.property(hostile, (path) => {
      const line = accessLine(requestRecord({ path, host: path, method: path, requestId: path, clientAddress: path }))
      expect(line.indexOf('\n')).toBe(line.length - 1)
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029]/u)
      expect(JSON.parse(line)).toMatchObject({ path, host: path, method: path, requestId: path, client: path })
    }),
    { seed: 5 },
  )
})

test('a long path is cut', () => {
  expect(accessLine(requestRecord({ path: `/${'x'.repeat(100_000)}` })).length).toBeLessThan(3000)
})

test('lines are handed on together after a while', async () => {
  const clock = fakeClock()
  const batches: string[] = []
  const log = createAccessLog(clock, (lines) => batches.push(lines))
  for (let i = 0; i < 3; i++) log.write(requestRecord())
  expect(batches).toEqual([])
  await clock.advance(200)
  expect(batches.map((lines) => lines.split('\n').length)).toEqual([4])
  await clock.advance(1000)
  expect([batches.length, clock.pending]).toEqual([1, 0])
})

test('a full batch is handed on at once, the rest by flush', () => {
  const clock = fakeClock()
  const batches: string[] = []
  const log = createAccessLog(clock, (lines) => batches.push(lines))
  for (let i = 0; i < 200; i++) log.write(requestRecord())
  expect(batches.length).toBeGreaterThan(0)
  log.flush()
  expect(batches.join('').split('\n')).toHaveLength(201)
  expect(clock.pending).toBe(0)
})

test('when nobody reads, memory is bounded: lines are dropped and told of, until some were written', () => {
  const batches: string[] = []
  let dropped = 0
  const log = createAccessLog(fakeClock(), (lines) => batches.push(lines), () => dropped++)
  const size = accessLine(requestRecord()).length
  for (let i = 0; i < 2 * (4 * 1024 * 1024) / size; i++) log.write(requestRecord())
  expect(batches.join('').length).toBeLessThan(4.5 * 1024 * 1024)
  expect(dropped * size).toBeGreaterThan(3.5 * 1024 * 1024)
  const before = dropped
  log.written(batches.join('').length)
  log.write(requestRecord())
  expect(dropped).toBe(before)
})
