// Protobuf bodies: what kubectl sends, written here with an encoder of our own, and what nobody should send.
import * as fc from 'fast-check'
import protobuf from 'protobufjs/minimal.js'
import { describe, expect, test } from 'vitest'
import { ApiError } from '../../../../src/sandbox/api-server/api-error.ts'
import { decodeProtobuf } from '../../../../src/sandbox/api-server/protobuf/decode.ts'
import { exchanges } from '../kinds/recordings.ts'

/** Field number to value: numbers are varints, strings and bytes as they are, objects messages, lists repeat the field. */
type Message = { [field: number]: number | string | Uint8Array | Message | readonly (number | string | Message)[] }

function encode(message: Message): Uint8Array {
  const writer = protobuf.Writer.create()
  for (const [field, content] of Object.entries(message)) {
    for (const value of Array.isArray(content) ? (content as readonly (number | string | Message)[]) : [content as number | string | Uint8Array | Message]) {
      if (typeof value === 'number') writer.uint32(Number(field) * 8).int64(value)
      else writer.uint32(Number(field) * 8 + 2).bytes(typeof value === 'string' ? Buffer.from(value) : value instanceof Uint8Array ? value : encode(value))
    }
  }
  return writer.finish()
}

function body(apiVersion: string, kind: string, message: Message | Uint8Array): Uint8Array {
  const raw = message instanceof Uint8Array ? message : encode(message)
  return Buffer.concat([Buffer.from('k8s\0', 'latin1'), encode({ 1: { 1: apiVersion, 2: kind }, 2: raw, 3: '', 4: '' })])
}

function refusal(bytes: Uint8Array): ApiError {
  try {
    decodeProtobuf(bytes)
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  throw new Error('accepted')
}

describe('objects', () => {
  test('zero values are left out, except where they were set on purpose', () => {
    const spec = { 1: 0, 2: { 1: { 1: 'app', 2: 'web' } }, 3: { 1: { 1: '' }, 2: { 2: { 1: 'web', 2: 'nginx', 3: ['sh', '-c'], 8: {} }, 4: 0 } }, 4: { 1: '' }, 5: 0, 7: 0 }
    expect(decodeProtobuf(body('apps/v1', 'Deployment', { 1: { 1: 'web', 2: '', 8: {} }, 2: spec, 3: {} }))).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: {}, spec: { containers: [{ name: 'web', image: 'nginx', command: ['sh', '-c'], resources: {} }], terminationGracePeriodSeconds: 0 } },
        strategy: {},
      },
      status: {},
    })
  })

  test('ports are numbers or names, secrets base64, times RFC 3339', () => {
    const service = { 1: { 1: 'a', 8: { 1: 1_795_000_000 } }, 2: { 1: [{ 3: 80, 4: { 1: 0, 2: 8080, 3: '' } }, { 3: 81, 4: { 1: 1, 2: 0, 3: 'http' } }], 20: 0 } }
    expect(decodeProtobuf(body('v1', 'Service', service))).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'a', creationTimestamp: '2026-11-18T11:06:40Z' },
      spec: { ports: [{ port: 80, targetPort: 8080 }, { port: 81, targetPort: 'http' }], allocateLoadBalancerNodePorts: false },
    })
    expect(decodeProtobuf(body('v1', 'Secret', { 2: { 1: 'k', 2: Uint8Array.of(0, 255) }, 3: 'Opaque' }))).toMatchObject({ data: { k: 'AP8=' }, type: 'Opaque' })
    expect(decodeProtobuf(body('coordination.k8s.io/v1', 'Lease', { 2: { 1: 'me', 4: { 1: 1_795_000_000, 2: 123_456_789 } } }))).toMatchObject({ spec: { renewTime: '2026-11-18T11:06:40.123456Z' } })
  })

  test('inline structs are part of their parent', () => {
    const ingress = { 2: { 3: { 1: 'a.example.com', 2: { 1: { 1: { 1: '/', 2: { 4: { 1: 'web', 2: { 1: '', 2: 80 } } }, 3: 'Prefix' } } } }, 4: 'narthex' } }
    expect(decodeProtobuf(body('networking.k8s.io/v1', 'Ingress', ingress))).toMatchObject({
      spec: { rules: [{ host: 'a.example.com', http: { paths: [{ path: '/', backend: { service: { name: 'web', port: { number: 80 } } }, pathType: 'Prefix' }] } }], ingressClassName: 'narthex' },
    })
  })

  test('negative numbers, packed lists, fields that nobody knows', () => {
    const pod = { 2: { 14: { 4: [1, 2] }, 25: -5, 9999: 'later' } }
    expect(decodeProtobuf(body('v1', 'Pod', pod))).toMatchObject({ spec: { priority: -5, securityContext: { supplementalGroups: [1, 2] } } })
    expect(decodeProtobuf(body('v1', 'Pod', { 2: { 14: { 4: Uint8Array.of(1, 0xac, 2) } } }))).toMatchObject({ spec: { securityContext: { supplementalGroups: [1, 300] } } })
  })

  test('what follows a number depends on where it stands: 4 is gRPC in a probe, sleep in a lifecycle', () => {
    const container = { 1: 'a', 11: { 1: { 4: { 1: 9090 } }, 5: 1 }, 12: { 2: { 4: { 1: 5 } } } }
    expect(decodeProtobuf(body('v1', 'Pod', { 2: { 2: container, 31: 'Never' } }))).toMatchObject({
      spec: { containers: [{ readinessProbe: { grpc: { port: 9090 }, successThreshold: 1 }, lifecycle: { preStop: { sleep: { seconds: 5 } } } }], preemptionPolicy: 'Never' },
    })
  })

  test('a key __proto__ is a key', () => {
    const data = decodeProtobuf(body('v1', 'ConfigMap', { 2: { 1: '__proto__', 2: 'x' } }))['data'] as object
    expect(Object.entries(data)).toEqual([['__proto__', 'x']])
  })
})

describe('what is no object', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['JSON', Buffer.from('{"kind":"Pod"}')],
    ['a prefix alone', Buffer.from('k8s\0', 'latin1')],
    ['half a message', body('v1', 'Namespace', Uint8Array.of(0x0a, 0x7f, 1))],
    ['a varint without an end', body('v1', 'Pod', Buffer.alloc(20, 0xff))],
    ['field number 0', body('v1', 'Pod', Uint8Array.of(2, 0))],
    ['a string where a message is', body('v1', 'Namespace', { 1: 'not metadata'.repeat(3) })],
    ['a number where a string is', body('v1', 'Namespace', { 1: { 1: 5 } })],
    ['groups in groups', body('v1', 'Pod', Buffer.alloc(100_000, 0xfb))],
    ['managed fields that are no JSON', body('v1', 'Namespace', { 1: { 17: { 7: { 1: '{' } } } })],
  ])('%s is refused with a 400 or 415', (_, bytes) => {
    expect([400, 415]).toContain(refusal(bytes).code)
  })

  test('a kind without a description names itself and the way out', () => {
    const error = refusal(body('batch/v1', 'Job', {}))
    expect([error.code, error.message]).toEqual([415, expect.stringContaining('no protobuf description of "Job" in version "batch/v1": send JSON')])
    expect(refusal(body('v1', 'toString', {})).code).toBe(415)
  })

  test('size and number of fields are bounded', () => {
    expect(refusal(Buffer.alloc(3 * 1024 * 1024 + 1)).code).toBe(413)
    const empties = Buffer.alloc(600_000)
    for (let at = 0; at < empties.length; at += 2) empties[at] = 0x1a
    expect(refusal(body('v1', 'Service', encode({ 2: empties }))).message).toContain('more than 200000 fields')
  })

  test('random bytes behind any envelope give an object or an ApiError', () => {
    const kinds = [['v1', 'Service'], ['v1', 'Secret'], ['apps/v1', 'Deployment'], ['networking.k8s.io/v1', 'Ingress'], ['v1', 'Event'], ['meta.k8s.io/v1', 'DeleteOptions']] as const
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.uint8Array({ maxLength: 200 }), ([apiVersion, kind], bytes) => {
        try {
          expect(decodeProtobuf(body(apiVersion, kind, bytes)).kind).toBe(kind)
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError)
        }
      }),
      { seed: 1, numRuns: 3000 },
    )
  })

  test('recorded bodies with bytes changed or cut give an object or an ApiError', () => {
    const bodies = exchanges().flatMap(({ request }) => (request.bodyBase64 === undefined ? [] : [Buffer.from(request.bodyBase64, 'base64')]))
    const sample = bodies.length > 0 ? bodies : [Buffer.from(body('v1', 'Service', { 1: { 1: 'a' }, 2: { 1: { 3: 80 } } }))]
    fc.assert(
      fc.property(fc.constantFrom(...sample), fc.array(fc.tuple(fc.nat(5000), fc.nat(255)), { maxLength: 5 }), fc.nat(5000), (bytes, changes, cut) => {
        const copy = Buffer.from(bytes)
        for (const [at, value] of changes) copy[at % copy.length] = value
        try {
          decodeProtobuf(cut % 3 === 0 ? copy.subarray(0, cut % copy.length) : copy)
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError)
        }
      }),
      { seed: 2, numRuns: 2000 },
    )
  })
})
