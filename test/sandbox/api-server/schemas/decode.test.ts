// The decoder against Go's: what it lets through, how it words what it does not; and the schema table against recorded objects.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiError } from '../../../../src/sandbox/api-server/api-error.ts'
import { KINDS } from '../../../../src/sandbox/api-server/kinds/index.ts'
import { decodeObject } from '../../../../src/sandbox/api-server/schemas/decode.ts'
import { SCHEMAS, describe as describeField, resolve, schemaOf } from '../../../../src/sandbox/api-server/schemas/table.ts'
import { exchanges, isList, isObject, target } from '../kinds/recordings.ts'

const INGRESS = 'io.k8s.api.networking.v1.Ingress'
const DEPLOYMENT = 'io.k8s.api.apps.v1.Deployment'
const SERVICE = 'io.k8s.api.core.v1.Service'
const SECRET = 'io.k8s.api.core.v1.Secret'
const LEASE = 'io.k8s.api.coordination.v1.Lease'
const POD = 'io.k8s.api.core.v1.Pod'

function refusal(value: unknown, schema: string): string {
  try {
    decodeObject(value, schema)
  } catch (error) {
    if (error instanceof ApiError && error.code === 400 && error.status.reason === 'BadRequest') return error.message
    throw error
  }
  return 'accepted'
}

describe('decodeObject', () => {
  test('lists unknown fields by path and leaves them out', () => {
    const { object, unknownFields } = decodeObject({ spec: { rulez: [], rules: [{ hots: 'x', host: 'a' }] }, extra: 1 }, INGRESS)
    expect(unknownFields).toEqual(['extra', 'spec.rules[0].hots', 'spec.rulez'])
    expect(object).toEqual({ spec: { rules: [{ host: 'a' }] } })
  })

  test.each([
    [{ spec: { replicas: '3' } }, DEPLOYMENT, 'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32'],
    [{ spec: { replicas: 1.5 } }, DEPLOYMENT, 'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32'],
    [{ spec: { replicas: 2 ** 31 } }, DEPLOYMENT, 'json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32'],
    [{ spec: { rules: 'x' } }, INGRESS, 'json: cannot unmarshal string into Go struct field IngressSpec.spec.rules of type []v1.IngressRule'],
    [{ spec: { rules: [{ host: 1 }] } }, INGRESS, 'json: cannot unmarshal number into Go struct field IngressRule.spec.rules.host of type string'],
    [{ spec: [] }, INGRESS, 'json: cannot unmarshal array into Go struct field Ingress.spec of type v1.IngressSpec'],
    [{ metadata: { labels: { a: true } } }, INGRESS, 'json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string'],
    [{ metadata: { labels: 'a=b' } }, INGRESS, 'json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels of type map[string]string'],
    [{ spec: { backend: 'x' } }, 'io.k8s.api.extensions.v1beta1.Ingress', 'Ingress in version "v1beta1" cannot be handled as a Ingress: json: cannot unmarshal string into Go struct field IngressSpec.spec.backend of type v1beta1.IngressBackend'],
    [{ data: { a: '***' } }, SECRET, 'illegal base64 data at input byte 0'],
    [{ metadata: { creationTimestamp: 'now' } }, INGRESS, 'cannot parse "now"'],
    [{ spec: { ports: [{ port: 80, targetPort: true }] } }, SERVICE, 'cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type string'],
    [{ spec: { containers: [{ name: 'a', resources: { limits: { cpu: 'much' } } }] } }, POD, "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
  ])('%j is refused', (value, schema, text) => expect(refusal(value, schema)).toContain(text))

  test('drops nulls, except that a null in a list or a map is a zero value', () => {
    expect(decodeObject({ metadata: { creationTimestamp: null, labels: { a: null } }, spec: null }, INGRESS).object).toEqual({ metadata: { labels: { a: '' } } })
    expect(decodeObject({ spec: { rules: [null] } }, INGRESS).object).toEqual({ spec: { rules: [{}] } })
  })

  test('keeps numbers and strings apart where both may stand, and writes quantities in their canonical form', () => {
    const { object } = decodeObject({ spec: { ports: [{ port: 1, targetPort: '80' }, { port: 2, targetPort: 80 }] } }, SERVICE)
    expect(object['spec']).toEqual({ ports: [{ port: 1, targetPort: '80' }, { port: 2, targetPort: 80 }] })
    const pod = decodeObject({ spec: { containers: [{ name: 'a', resources: { limits: { cpu: 2.5, memory: '1024Mi' } } }] } }, POD).object
    expect(pod['spec']).toEqual({ containers: [{ name: 'a', resources: { limits: { cpu: '2500m', memory: '1Gi' } } }] })
  })

  test('writes times as the server does: whole seconds, or microseconds', () => {
    expect(decodeObject({ metadata: { creationTimestamp: '2026-11-20T13:00:00.75+01:00' } }, INGRESS).object.metadata.creationTimestamp).toBe('2026-11-20T12:00:00Z')
    expect(decodeObject({ spec: { renewTime: '2026-11-20T12:00:00.123456Z' } }, LEASE).object['spec']).toEqual({ renewTime: '2026-11-20T12:00:00.123456Z' })
  })

  test('managed fields are taken as they are', () => {
    const managedFields = [{ manager: 'x', operation: 'Update', fieldsV1: { 'f:spec': { '.': {}, 'k:{"port":80}': {} } } }]
    expect(decodeObject({ metadata: { managedFields } }, INGRESS).object.metadata.managedFields).toEqual(managedFields)
  })

  test('a field named __proto__ is unknown, a label of that name is a label', () => {
    const parsed: unknown = JSON.parse('{"__proto__": {"a": 1}, "metadata": {"labels": {"__proto__": "x"}}}')
    const { object, unknownFields } = decodeObject(parsed, INGRESS)
    expect(unknownFields).toEqual(['__proto__'])
    expect(Object.entries(object.metadata.labels ?? {})).toEqual([['__proto__', 'x']])
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype)
  })

  test('never throws anything but a 400, and decodes what it gave out to the same', () => {
    const names = ['metadata', 'spec', 'rules', 'http', 'paths', 'backend', 'service', 'port', 'number', 'name', 'tls', 'hosts', 'labels', 'x']
    const { tree } = fc.letrec<{ tree: unknown }>(tie => ({
      tree: fc.oneof({ depthSize: 'medium' }, fc.constantFrom(null, true, 1, 1.5, 'a', ''), fc.array(tie('tree'), { maxLength: 3 }), fc.dictionary(fc.constantFrom(...names), tie('tree'), { maxKeys: 5 })),
    }))
    fc.assert(
      fc.property(tree, value => {
        if (refusal(value, INGRESS) !== 'accepted') return
        const { object } = decodeObject(value, INGRESS)
        expect(decodeObject(object, INGRESS)).toEqual({ object, unknownFields: [] })
      }),
      { seed: 1, numRuns: 500 },
    )
  })
})

describe('the schema table', () => {
  test('every reference leads somewhere, every kind has a schema with metadata', () => {
    const references = (schema: object): string[] => [...JSON.stringify(schema).matchAll(/"\$ref":"([^"]+)"/g)].map(match => match[1] ?? '')
    for (const schema of Object.values(SCHEMAS)) for (const reference of references(schema)) expect(resolve({ $ref: reference }).type).toBe('object')
    for (const kind of KINDS) {
      expect(schemaOf(kind.schemaName).properties).toHaveProperty('metadata')
      for (const legacy of kind.legacy ?? []) expect(schemaOf(legacy.schemaName).properties).toHaveProperty('metadata')
    }
  })

  // What keeps the decoder from recursing without end.
  test('no type contains itself', () => {
    const visit = (name: string, path: readonly string[]): void => {
      expect(path).not.toContain(name)
      for (const [, next = ''] of JSON.stringify(SCHEMAS[name]).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) if (!checked.has(next)) visit(next, [...path, name])
      checked.add(name)
    }
    const checked = new Set<string>()
    for (const name of Object.keys(SCHEMAS)) visit(name, [])
    expect(checked.size).toBeGreaterThan(200)
  })

  test('says how lists are merged and owned', () => {
    const ports = schemaOf('io.k8s.api.core.v1.ServiceSpec').properties?.['ports']
    expect(ports).toMatchObject({ 'x-kubernetes-patch-merge-key': 'port', 'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-list-map-keys': ['port', 'protocol'] })
    expect(schemaOf('io.k8s.api.networking.v1.IngressSpec').properties?.['rules']).toMatchObject({ 'x-kubernetes-list-type': 'atomic' })
    expect(schemaOf('io.k8s.api.apps.v1.DeploymentSpec').properties?.['strategy']).toMatchObject({ 'x-kubernetes-patch-strategy': 'retainKeys', 'default': {} })
    expect(schemaOf('io.k8s.api.core.v1.ServicePort').required).toEqual(['port'])
    expect(describeField('core.v1.Event', 'source')).toContain('component reporting')
  })

  const recorded = exchanges()
  if (recorded.length > 0) test('knows every field of every recorded object', () => {
    const kinds = new Map(KINDS.map(kind => [kind.resource, kind]))
    let count = 0
    for (const { request, response } of recorded) {
      const { resource, subresource } = target(request.path)
      const kind = kinds.get(resource)
      const objects = isList(response.body) ? response.body.items : isObject(response.body) ? [response.body] : []
      if (kind === undefined || subresource === 'scale') continue
      for (const object of objects) {
        expect(decodeObject(object, kind.schemaName).unknownFields).toEqual([])
        count++
      }
    }
    expect(count).toBeGreaterThan(80)
  })
})
