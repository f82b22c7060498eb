// What a real API server made of the objects that were sent to it: the kinds must fill in and refuse the same.
import { describe, expect, test } from 'vitest'
import type { Cause, Kind, KubeObject, Lookup } from '../../../../src/sandbox/api-server/kind.ts'
import { createKinds } from '../../../../src/sandbox/api-server/kinds/index.ts'
import { decodeProtobuf } from '../../../../src/sandbox/api-server/protobuf/decode.ts'
import { decodeObject } from '../../../../src/sandbox/api-server/schemas/decode.ts'
import { exchanges, isObject, isStatus, target } from './recordings.ts'
import type { Exchange } from './recordings.ts'

const kinds = new Map(createKinds({ serviceRange: '10.96.0.0/16', random: () => 0.5 }).map(kind => [kind.resource, kind]))

/** Resource, namespace and name to the object as the real server has it. */
type Stored = ReadonlyMap<string, KubeObject>

function key(path: string, name?: string): string {
  const at = target(path)
  return `${at.resource}/${at.namespace}/${name ?? at.name}`
}

/** Bodies are JSON or protobuf; no body is undefined. */
function bodyOf(body: unknown, base64: string | undefined): unknown {
  return base64 === undefined ? body : decodeProtobuf(Buffer.from(base64, 'base64'))
}

/** Requests and created objects as data, whatever they were sent as. Answers that are no object (lists, Status) stay as they are. */
function decoded(exchange: Exchange): Exchange {
  const { request, response } = exchange
  const isWrite = request.method === 'POST'
  const isCreated = isWrite && response.status === 201
  return {
    ...exchange,
    request: { ...request, body: bodyOf(request.body, isWrite ? request.bodyBase64 : undefined) },
    response: { ...response, body: bodyOf(response.body, isCreated ? response.bodyBase64 : undefined) },
  }
}

/** The objects after an exchange. */
function after(stored: Stored, { request, response }: Exchange): Stored {
  const isWritten = isObject(response.body) && response.status < 300 && target(request.path).subresource !== 'scale' && !request.path.includes('dryRun=')
  return isWritten ? new Map([...stored, [key(request.path, (response.body as KubeObject).metadata.name), response.body as KubeObject]]) : stored
}

function lookupOf(stored: Stored): Lookup {
  return {
    get: (resource, namespace, name) => stored.get(`${resource}/${namespace}/${name}`),
    list: (resource, namespace) => [...stored].filter(([name]) => name.startsWith(namespace === undefined ? `${resource}/` : `${resource}/${namespace}/`)).map(([, object]) => object),
    now: () => new Date('2026-11-20T11:17:00Z'),
  }
}

function metadataOf(object: KubeObject, from: KubeObject): KubeObject {
  return { ...object, metadata: { ...from.metadata, ...object.metadata } }
}

function create(kind: Kind, body: unknown, lookup: Lookup): { object: KubeObject; causes: readonly Cause[]; warnings: readonly string[] } {
  const { object } = decodeObject(body, kind.schemaName)
  kind.defaults(object)
  kind.prepareForCreate?.(object, lookup)
  return { object, causes: kind.validate(object, undefined, lookup), warnings: kind.warnings?.(object, undefined) ?? [] }
}

/** Without what a server chooses by chance. */
function comparable(object: KubeObject): unknown {
  const { metadata: _, ...rest } = structuredClone(object)
  return JSON.parse(JSON.stringify(rest, (name, value: unknown) => (name === 'clusterIP' || name === 'clusterIPs' ? (JSON.stringify(value).includes('None') ? 'None' : 'given') : name === 'nodePort' ? 'given' : value))) as unknown
}

test('an object with nothing but a name misses what its kind needs', () => {
  const missing = [...kinds.values()].map(kind => {
    const metadata = { name: 'x', ...(kind.namespaced && { namespace: 'default' }) }
    return [kind.resource, create(kind, { metadata }, lookupOf(new Map())).causes.map(cause => cause.field)]
  })
  expect(Object.fromEntries(missing.filter(([, fields]) => fields?.length !== 0))).toEqual({
    deployments: ['spec.selector', 'spec.template.metadata.labels', 'spec.template.spec.containers'],
    endpointslices: ['addressType'],
    ingressclasses: ['spec.controller'],
    ingresses: ['spec'],
    pods: ['spec.containers'],
    replicasets: ['spec.selector', 'spec.template.metadata.labels', 'spec.template.spec.containers'],
    services: ['spec.ports'],
  })
})

describe('what a real API server made of an object', () => {
  let stored: Stored = new Map()
  for (const recorded of exchanges()) {
    const exchange = decoded(recorded)
    const { request, response } = exchange
    const kind = kinds.get(target(request.path).resource)
    const old = stored.get(key(request.path))
    const lookup = lookupOf(stored)
    stored = after(stored, exchange)
    if (kind === undefined || typeof request.body !== 'object' || request.body === null) continue
    const body = request.body as KubeObject

    if (request.method === 'POST' && isObject(response.body)) {
      const expected = response.body
      test(`${exchange.file}: create ${kind.resource} fills in the same`, () => {
        const { object, causes, warnings } = create(kind, { ...body, metadata: { ...body.metadata, ...expected.metadata } }, lookup)
        expect(causes).toEqual([])
        expect(comparable(object)).toEqual(comparable(expected))
        const warning = kind.deprecation ?? warnings[0]
        expect(warning === undefined ? undefined : `299 - "${warning}"`).toEqual(response.warning)
      })
    }
    if (request.method === 'POST' && isStatus(response.body) && response.body.reason === 'Invalid') {
      const expected = response.body.details?.causes
      test(`${exchange.file}: create ${kind.resource} is refused with the same causes`, () => {
        const { causes } = create(kind, { ...body, metadata: { ...body.metadata, namespace: kind.namespaced ? 'dev' : undefined } }, lookup)
        expect(causes).toEqual(expected)
      })
    }
    if (request.method === 'PATCH' && isStatus(response.body) && response.body.reason === 'Invalid' && old !== undefined && !Array.isArray(body)) {
      const expected = response.body.details?.causes
      test(`${exchange.file}: update ${kind.resource} is refused with the same causes`, () => {
        const draft = structuredClone(old)
        draft['spec'] = { ...(draft['spec'] as object), ...(body['spec'] as object) }
        kind.defaults(draft)
        kind.prepareForUpdate?.(draft, old, lookup)
        expect(kind.validate(metadataOf(draft, old), old, lookup)).toEqual(expected)
      })
    }
  }
})
