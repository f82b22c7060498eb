// What is written to the cluster, seen from the API server.
import { afterEach, describe, expect, test } from 'vitest'
import { connectToUrl } from '../../src/kube/connection.ts'
import { stateFromObjects } from '../../src/kube/store.ts'
import type { ClusterState } from '../../src/kube/cluster-state.ts'
import type { Diagnostic } from '../../src/model/diagnostic.ts'
import type { ObjectRef } from '../../src/model/object-ref.ts'
import { startStatus, type AddressSource } from '../../src/status/start-status.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { failure, json, ScriptedApi, type Asked, type Reply } from '../kube/scripted-api.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const OK = json({})
const START = Date.parse('2026-11-20T12:00:00Z')

async function rig(addresses: AddressSource, ...replies: readonly Reply[]) {
  const api = await ScriptedApi.start(...(replies.length > 0 ? replies : [OK]))
  const connection = connectToUrl(api.url)
  const clock = fakeClock(START)
  const log: string[] = []
  const writer = startStatus({ connection, addresses, clock, random: () => 0, log: (level, message) => void log.push(`${level} ${message}`) })
  ends.push(() => api.close(), () => connection.close(), () => writer.stop())
  /** Moves time in small steps until it holds. */
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) {
      await clock.advance(100)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
  const calls = (count: number): Promise<void> => until(() => api.asked.length >= count)
  const patched = (count: number): Promise<void> => until(() => patches(api).length >= count)
  /** Time in which what should not come might. */
  const quiet = async (ms: number): Promise<void> => {
    for (let past = 0; past < ms; past += ms / 20) {
      await clock.advance(ms / 20)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  return { api, clock, log, writer, until, calls, patched, quiet }
}

const ref = (name: string, uid = `uid-${name}`): ObjectRef => ({ kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', namespace: 'dev', name, uid })
const ingress = (name: string, addresses: readonly object[] = [], extra: object = {}): object => ({
  kind: 'Ingress', metadata: { name, namespace: 'dev', uid: `uid-${name}`, ...extra }, spec: {}, status: { loadBalancer: { ingress: addresses } },
})
const state = (...objects: readonly object[]): ClusterState => stateFromObjects(objects)
const NOTHING: readonly Diagnostic[] = []
const body = (asked: Asked | undefined): unknown => JSON.parse(asked?.body ?? 'null')
const patches = (api: ScriptedApi): readonly Asked[] => api.asked.filter((asked) => asked.path.endsWith('/status'))
const events = (api: ScriptedApi): readonly Asked[] => api.asked.filter((asked) => asked.path.includes('/events'))

describe('the status of an Ingress', () => {
  test('is written by merge patch where it differs, and only there', async () => {
    const { api, writer, calls, quiet } = await rig({ addresses: ['192.0.2.7', 'edge.example.com'] })
    const done = ingress('done', [{ hostname: 'edge.example.com', ports: [] }, { ip: '192.0.2.7' }])
    writer.update({ state: state(ingress('web'), done, ingress('foreign')), accepted: [ref('web'), ref('done')], diagnostics: NOTHING })
    await calls(3)
    await quiet(2_000)
    expect(patches(api).map(({ method, path, headers }) => [method, path, headers['content-type']])).toEqual([
      ['PATCH', '/apis/networking.k8s.io/v1/namespaces/dev/ingresses/web/status', 'application/merge-patch+json'],
    ])
    expect(body(patches(api)[0])).toEqual({ status: { loadBalancer: { ingress: [{ hostname: 'edge.example.com' }, { ip: '192.0.2.7' }] } } })
  })

  test('is not written again while our own write has not come back', async () => {
    const { api, writer, calls, patched, quiet } = await rig({ addresses: ['192.0.2.7'] })
    const before = state(ingress('web'))
    const accepted = [ref('web')]
    writer.update({ state: before, accepted, diagnostics: NOTHING })
    await calls(2)
    await quiet(500)
    writer.update({ state: { ...before, services: new Map() }, accepted: [...accepted], diagnostics: NOTHING })
    await quiet(2_000)
    expect(patches(api)).toHaveLength(1)
    // Another controller has taken it away: it is written again.
    writer.update({ state: state(ingress('web')), accepted: [...accepted], diagnostics: NOTHING })
    await patched(2)
  })

  test('follows the addresses of a service', async () => {
    const { api, writer, patched, quiet } = await rig({ service: 'infra/edge' })
    const service = (status: object, spec: object = { type: 'LoadBalancer' }): object => ({ kind: 'Service', metadata: { name: 'edge', namespace: 'infra' }, spec, status })
    const accepted = [ref('web')]
    writer.update({ state: state(ingress('web', [{ ip: '192.0.2.1' }])), accepted, diagnostics: NOTHING })
    await quiet(1_000)
    // The Service is not there: what is published stays.
    expect(patches(api)).toHaveLength(0)
    writer.update({ state: state(ingress('web'), service({ loadBalancer: { ingress: [{ ip: '192.0.2.9' }] } })), accepted, diagnostics: NOTHING })
    await patched(1)
    writer.update({ state: state(ingress('web'), service({}, { type: 'NodePort', clusterIP: '10.96.0.5' })), accepted, diagnostics: NOTHING })
    await patched(2)
    writer.update({ state: state(ingress('web'), service({}, { type: 'NodePort', clusterIP: '10.96.0.5', externalIPs: ['198.51.100.1'] })), accepted, diagnostics: NOTHING })
    await patched(3)
    expect(patches(api).map(body)).toEqual(['192.0.2.9', '10.96.0.5', '198.51.100.1'].map((ip) => ({ status: { loadBalancer: { ingress: [{ ip }] } } })))
  })

  test('is left alone when there is nothing to publish, and on stop', async () => {
    const { api, writer, quiet } = await rig(undefined)
    writer.update({ state: state(ingress('web', [{ ip: '192.0.2.1' }])), accepted: [ref('web')], diagnostics: NOTHING })
    await quiet(1_000)
    await writer.stop()
    expect(patches(api)).toHaveLength(0)
  })

  test('is tried again after a failure, and dropped when the Ingress has gone', async () => {
    const statusReplies: Reply[] = [failure(500, 'InternalError', 'etcd'), failure(409, 'Conflict'), failure(404, 'NotFound')]
    const { api, writer, patched, quiet, log } = await rig({ addresses: ['192.0.2.7'] }, (response, asked) => (asked.path.endsWith('/status') ? (statusReplies.shift() ?? OK) : OK)(response, asked))
    writer.update({ state: state(ingress('web')), accepted: [ref('web')], diagnostics: NOTHING })
    await patched(3)
    await quiet(60_000)
    expect(patches(api)).toHaveLength(3)
    expect(log).toEqual([])
  })

  test('that may not be written names the rule to grant', async () => {
    const { writer, until, log } = await rig({ addresses: ['192.0.2.7'] }, failure(403, 'Forbidden', 'no'))
    writer.update({ state: state(ingress('web')), accepted: [ref('web')], diagnostics: NOTHING })
    await until(() => log.length >= 2)
    expect(log.sort()).toEqual([
      'warn may not write an Event: no; it is tried again. Grant it with this rule: {apiGroups: [""], resources: [events], verbs: [create, patch]}',
      'warn may not write the status of an Ingress: no; it is tried again. Grant it with this rule: {apiGroups: ["networking.k8s.io"], resources: [ingresses/status], verbs: [patch]}',
    ])
  })
})

describe('events', () => {
  const diagnostic = (reason: Diagnostic['reason'], message = 'it is wrong'): Diagnostic => ({ severity: 'error', reason, object: ref('web'), field: 'spec.rules[0].host', message, fix: 'Right it.' })

  test('tell of an accepted Ingress once, and again with a count when it changes', async () => {
    const { api, writer, calls, quiet } = await rig(undefined)
    const object = ref('web')
    writer.update({ state: state(), accepted: [object], diagnostics: NOTHING })
    writer.update({ state: state(), accepted: [object], diagnostics: NOTHING })
    await calls(1)
    await quiet(5_000)
    expect(api.asked).toHaveLength(1)
    expect([api.asked[0]?.method, api.asked[0]?.path]).toEqual(['POST', '/api/v1/namespaces/dev/events'])
    expect(body(api.asked[0])).toMatchObject({
      apiVersion: 'v1', kind: 'Event', type: 'Normal', reason: 'Sync', message: 'Scheduled for sync', count: 1, source: { component: 'narthex' },
      involvedObject: { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', namespace: 'dev', name: 'web', uid: 'uid-web' },
      metadata: { namespace: 'dev', name: expect.stringMatching(/^web\.[0-9a-f]{16}$/) as string },
    })
    expect((body(api.asked[0]) as { firstTimestamp: string }).firstTimestamp).toMatch(/^2026-11-20T12:00:\d\dZ$/)

    writer.update({ state: state(), accepted: [ref('web')], diagnostics: NOTHING })
    await calls(2)
    const { metadata } = body(api.asked[0]) as { metadata: { name: string } }
    expect([api.asked[1]?.method, api.asked[1]?.path]).toEqual(['PATCH', `/api/v1/namespaces/dev/events/${metadata.name}`])
    expect(body(api.asked[1])).toMatchObject({ count: 2 })
  })

  test('warn of each diagnostic with field and fix, once while it stands', async () => {
    const { api, writer, calls, quiet } = await rig(undefined)
    writer.update({ state: state(), accepted: [], diagnostics: [diagnostic('ServiceNotFound')] })
    writer.update({ state: state(), accepted: [], diagnostics: [diagnostic('ServiceNotFound'), diagnostic('HostInvalid', 'odd')] })
    await calls(2)
    await quiet(60_000)
    expect(events(api).map(body)).toMatchObject([
      { type: 'Warning', reason: 'ServiceNotFound', message: 'spec.rules[0].host: it is wrong Right it.' },
      { type: 'Warning', reason: 'HostInvalid', message: 'spec.rules[0].host: odd Right it.' },
    ])
  })

  test('do not tell of what was only missing for a moment', async () => {
    const { api, writer, quiet } = await rig(undefined)
    writer.update({ state: state(), accepted: [], diagnostics: [diagnostic('ServiceNotFound'), diagnostic('NoReadyEndpoints')] })
    await quiet(200)
    writer.update({ state: state(), accepted: [], diagnostics: [diagnostic('NoReadyEndpoints')] })
    await quiet(2_500)
    writer.update({ state: state(), accepted: [], diagnostics: [] })
    await quiet(10_000)
    expect(api.asked).toEqual([])
  })

  test('that come back, or still hold after a while, raise the count', async () => {
    const { api, writer, calls, clock } = await rig(undefined)
    const wrong = [diagnostic('ServiceNotFound')]
    writer.update({ state: state(), accepted: [], diagnostics: wrong })
    await calls(1)
    writer.update({ state: state(), accepted: [], diagnostics: [] })
    writer.update({ state: state(), accepted: [], diagnostics: [diagnostic('ServiceNotFound')] })
    await calls(2)
    await clock.advance(31 * 60_000)
    await calls(3)
    expect(api.asked.map((asked) => asked.method)).toEqual(['POST', 'PATCH', 'PATCH'])
    expect(api.asked.slice(1).map(body)).toMatchObject([{ count: 2 }, { count: 3 }])
  })

  test('that the server has forgotten are made anew', async () => {
    const { api, writer, calls } = await rig(undefined, OK, failure(404, 'NotFound'), OK)
    const object = ref('web')
    writer.update({ state: state(), accepted: [object], diagnostics: [] })
    await calls(1)
    writer.update({ state: state(), accepted: [{ ...object }], diagnostics: [] })
    await calls(3)
    expect(api.asked.map((asked) => asked.method)).toEqual(['POST', 'PATCH', 'POST'])
    expect(body(api.asked[2])).toMatchObject({ count: 1 })
  })

  test('of an object that was made anew are its own', async () => {
    const { api, writer, calls } = await rig(undefined)
    writer.update({ state: state(), accepted: [ref('web')], diagnostics: [] })
    await calls(1)
    writer.update({ state: state(), accepted: [ref('web', 'other')], diagnostics: [] })
    await calls(2)
    expect(api.asked.map((asked) => asked.method)).toEqual(['POST', 'POST'])
  })

  test('of thousands of Ingresses come at a bounded rate', async () => {
    const { api, clock, writer, calls } = await rig(undefined)
    writer.update({ state: state(), accepted: Array.from({ length: 500 }, (_, index) => ref(`web-${index}`)), diagnostics: [] })
    await calls(100)
    const seconds = (clock.now() - START) / 1000
    expect(api.asked.length).toBeLessThanOrEqual(50 + 10 * seconds + 1)
  })
})
