// Objects that are as large as a request may be and wrong all over: answers stay small and come soon.
import { expect, test } from 'vitest'
import { ApiError } from '../../../../src/sandbox/api-server/api-error.ts'
import { decodeObject } from '../../../../src/sandbox/api-server/schemas/decode.ts'
import { admission, setSpec, specOf } from './admission.ts'

const services = admission('services')
const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index))

test('a hundred causes are enough, each of a bounded size', () => {
  const owner = (index: number): object => ({ apiVersion: 'v1', kind: 'Pod', name: `p${index}`, uid: 'u', controller: true })
  const labels = Object.fromEntries(many(2000, index => [`not a key ${index} ${'x'.repeat(10_000)}`, '']))
  const { causes } = admission('configmaps').create({ metadata: { labels, ownerReferences: many(20_000, owner) } })
  expect(causes).toHaveLength(100)
  expect(JSON.stringify(causes).length).toBeLessThan(1_000_000)
})

// Each of these takes minutes where a list is searched once for each member of another.
test('a hundred thousand families, ports, node ports', () => {
  expect(services.create({ spec: { ports: [{ port: 80 }], ipFamilies: many(100_000, () => 'IPv4') } }).causes).toHaveLength(100)
  const ports = many(60_000, index => ({ name: `p${index}`, port: index + 1 }))
  const { object, causes } = services.create({ spec: { type: 'NodePort', ports } })
  expect(causes.map(cause => cause.message)).toEqual(['Internal error: failed to allocate a nodePort: range is full'])
  const updated = services.update(object, setSpec('ports', ports.toReversed()))
  expect((specOf(updated.object)['ports'] as { nodePort?: number }[]).filter(port => port.nodePort !== undefined)).toHaveLength(2768)
})

test('a deep value where no schema looks is refused, and a long list of unknown fields is cut', () => {
  let deep: unknown = {}
  for (let depth = 0; depth < 50_000; depth++) deep = [deep]
  const body = { metadata: { managedFields: [{ fieldsV1: { deep } }] } }
  expect(() => decodeObject(body, 'io.k8s.api.core.v1.ConfigMap')).toThrow(ApiError)
  const unknown = Object.fromEntries(many(5000, index => [`field${index}`, 1]))
  expect(decodeObject(unknown, 'io.k8s.api.core.v1.ConfigMap').unknownFields).toHaveLength(200)
})
