import { expect, test } from 'vitest'
import { createCounterReader } from '../../src/observe/counter-reader.ts'
import { DURATION_BOUNDS, sumFigures, withoutGauges, type SeriesFigures, type ThreadFigures } from '../../src/observe/figures.ts'
import { createThreadRecorder, type ThreadRecorder } from '../../src/observe/thread-recorder.ts'
import { prefix } from '../table/routes.ts'
import { requestRecord } from './request-record.ts'

const web = prefix('/', 'web', { ingress: 'web' }).source
const shop = prefix('/', 'shop', { ingress: 'shop' }).source

/** A recorder whose counts can be read as the supervisor reads them. */
function readable(): ThreadRecorder & { figures(): ThreadFigures } {
  const reader = createCounterReader()
  const recorder = createThreadRecorder(reader.learn)
  return {
    ...recorder,
    figures: reader.figures,
    forget(keys) {
      reader.forget(keys)
      recorder.forget(keys)
    },
  }
}

function seriesOf(recorder: { figures(): ThreadFigures }, key: string): SeriesFigures | undefined {
  return new Map(recorder.figures().series).get(key)
}

test('requests are counted by Ingress and Service, status class and duration', () => {
  const recorder = readable()
  for (const [status, durationMs] of [[200, 0.4], [204, 1], [301, 3], [404, 10_000], [503, 10_001]] as const) {
    recorder.request(requestRecord({ route: web, status, duration: durationMs, tries: 2 }))
  }
  recorder.request(requestRecord({ route: shop, status: 101 }))
  const counted = seriesOf(recorder, 'dev/web/web')
  expect(counted).toMatchObject({ statuses: [0, 2, 1, 1, 1], retries: 5, bytesIn: 50, bytesOut: 500 })
  expect(counted?.durationSum).toBeCloseTo(20_005.4)
  expect(counted?.durations).toEqual([2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
  expect(counted?.durations).toHaveLength(DURATION_BOUNDS.length + 1)
  expect(seriesOf(recorder, 'dev/shop/web')?.statuses).toEqual([1, 0, 0, 0, 0])
})

test('requests that no route took have a series of their own', () => {
  const recorder = readable()
  recorder.request(requestRecord({ status: 404, failure: 'no-route' }))
  expect(seriesOf(recorder, '//')?.statuses).toEqual([0, 0, 0, 1, 0])
  expect(recorder.figures().failures).toEqual([['no-route', 1]])
})

test('two routes of one Ingress and Service are one series', () => {
  const recorder = readable()
  recorder.request(requestRecord({ route: web }))
  recorder.request(requestRecord({ route: prefix('/other', 'web', { ingress: 'web' }).source }))
  expect(seriesOf(recorder, 'dev/web/web')?.statuses[1]).toBe(2)
})

test('a status outside of 100 to 599 is counted at the nearest class', () => {
  const recorder = readable()
  for (const status of [0, 99, 600, 999]) recorder.request(requestRecord({ route: web, status }))
  expect(seriesOf(recorder, 'dev/web/web')?.statuses).toEqual([2, 0, 0, 0, 2])
})

test('a forgotten series is gone; a late request of its route begins it at 0', () => {
  const recorder = readable()
  for (const route of [web, undefined]) recorder.request(requestRecord({ route }))
  recorder.forget(['dev/web/web', '//', 'never/was/there'])
  expect(recorder.figures().series).toEqual([])
  for (const route of [web, undefined]) recorder.request(requestRecord({ route }))
  expect([seriesOf(recorder, 'dev/web/web')?.statuses[1], seriesOf(recorder, '//')?.statuses[1]]).toEqual([1, 1])
})

test('connections and tunnels go up and down, what was accepted only up', () => {
  const recorder = readable()
  recorder.connectionOpened(false)
  recorder.connectionOpened(true)
  recorder.connectionOpened(true)
  recorder.connectionClosed(true)
  recorder.tunnelOpened()
  recorder.tunnelOpened()
  recorder.tunnelClosed()
  recorder.connectionRefused()
  recorder.handshakeFailed()
  expect(recorder.figures()).toMatchObject({
    connections: { http: 1, https: 1 },
    connectionsAccepted: { http: 1, https: 2 },
    tunnels: 1,
    connectionsRefused: 1,
    handshakesFailed: 1,
  })
})

test('figures of several threads add up; a thread that is gone leaves its counts but not what was open', () => {
  const [one, other] = [readable(), readable()]
  for (const recorder of [one, other]) {
    recorder.connectionOpened(false)
    recorder.request(requestRecord({ route: web, failure: 'connect-failed' }))
  }
  other.request(requestRecord({ route: shop }))
  const sum = sumFigures([withoutGauges(one.figures()), other.figures()])
  expect(sum.connections).toEqual({ http: 1, https: 0 })
  expect(sum.connectionsAccepted).toEqual({ http: 2, https: 0 })
  expect(sum.failures).toEqual([['connect-failed', 2]])
  expect(sum.series.map(([key, { statuses, durationSum }]) => [key, statuses[1], durationSum])).toEqual([
    ['//', 0, 0],
    ['dev/web/web', 2, 3],
    ['dev/shop/web', 1, 1.5],
  ])
})

test('a slot is used again for another series, which begins at 0; no two series share one', () => {
  const recorder = readable()
  const sources = Array.from({ length: 600 }, (_, i) => prefix('/', 'x', { ingress: `i${i}` }).source)
  for (const route of sources) recorder.request(requestRecord({ route }))
  recorder.forget(sources.slice(0, 300).map(({ object }) => `dev/${object.name}/web`))
  const others = Array.from({ length: 300 }, (_, i) => prefix('/', 'x', { ingress: `o${i}` }).source)
  for (const route of others) for (let i = 0; i < 2; i++) recorder.request(requestRecord({ route }))
  const counts = new Map(recorder.figures().series.map(([key, { statuses }]) => [key, statuses[1]]))
  expect(counts.size).toBe(601)
  for (const { object } of sources.slice(300)) expect(counts.get(`dev/${object.name}/web`)).toBe(1)
  for (const { object } of others) expect(counts.get(`dev/${object.name}/web`)).toBe(2)
})
