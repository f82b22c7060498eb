// Packing endpoints into slices: whatever came before, the result is right, and the second time nothing is left to do.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EndpointSlice, SliceEndpoint, SlicePort } from '../../../src/sandbox/controllers/object-shapes.ts'
import type { EndpointGroup } from '../../../src/sandbox/controllers/service-endpoints.ts'
import { MOST_ENDPOINTS_PER_SLICE, packSlices, type Packing } from '../../../src/sandbox/controllers/slice-packing.ts'

const portsOf = (port: number): readonly SlicePort[] => [{ name: 'http', protocol: 'TCP', port }]
const endpointOf = (pod: number, ready: boolean): SliceEndpoint => ({
  addresses: [`127.10.${pod >> 8}.${pod & 255}`],
  conditions: { ready, serving: ready, terminating: false },
  targetRef: { kind: 'Pod', name: `p${pod}`, uid: `u${pod}` },
})

/** What the registry holds once the plan is carried out. */
function carryOut(slices: readonly EndpointSlice[], { write, remove }: Packing, name: () => string): readonly EndpointSlice[] {
  const kept = slices.filter((slice) => !remove.includes(slice) && !write.some((plan) => plan.slice === slice))
  const written = write.map(({ slice, ports, endpoints }): EndpointSlice => ({
    apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4',
    metadata: slice?.metadata ?? { name: name(), uid: '', resourceVersion: '1', creationTimestamp: '' },
    ports: [...ports], endpoints: [...endpoints],
  }))
  return [...kept, ...written]
}

const facts = (ports: readonly SlicePort[], endpoint: SliceEndpoint): string => `${JSON.stringify(ports)} ${JSON.stringify(endpoint)}`

describe('packing', () => {
  it('holds every endpoint once, in bounded slices, and settles at once', () => {
    const states = fc.array(fc.array(fc.record({ pod: fc.nat(600), port: fc.constantFrom(8080, 8080, 8080, 9090), ready: fc.boolean() }), { maxLength: 600, size: 'max' }), { minLength: 1, maxLength: 5 })
    fc.assert(fc.property(states, (history) => {
      let slices: readonly EndpointSlice[] = []
      let names = 0
      const name = (): string => `web-${names++}`
      for (const pods of history) {
        const unique = [...new Map(pods.map((pod) => [pod.pod, pod])).values()]
        const groups: EndpointGroup[] = [...Map.groupBy(unique, (pod) => pod.port)].map(([port, members]) => ({ ports: portsOf(port), endpoints: members.map(({ pod, ready }) => endpointOf(pod, ready)) }))
        slices = carryOut(slices, packSlices(slices, groups), name)
        const wanted = groups.flatMap((group) => group.endpoints.map((endpoint) => facts(group.ports, endpoint)))
        const held = slices.flatMap((slice) => (slice.endpoints ?? []).map((endpoint) => facts(slice.ports ?? [], endpoint)))
        expect(held.toSorted()).toEqual(wanted.toSorted())
        expect(Math.max(...slices.map((slice) => slice.endpoints?.length ?? 0))).toBeLessThanOrEqual(MOST_ENDPOINTS_PER_SLICE)
        expect(new Set(slices.map((slice) => slice.metadata.name)).size).toBe(slices.length)
        // An empty slice is there only where there is nothing else.
        expect(slices.filter((slice) => slice.endpoints?.length === 0)).toHaveLength(unique.length === 0 ? 1 : 0)
        expect(packSlices(slices, groups)).toEqual({ write: [], remove: [] })
      }
    }), { seed: 20_261_121, numRuns: 60, endOnFailure: true })
  })

  it('turns the empty slice into the first one that holds something', () => {
    const empty = carryOut([], packSlices([], []), () => 'web-a')
    const { write, remove } = packSlices(empty, [{ ports: portsOf(8080), endpoints: [endpointOf(1, true)] }])
    expect([write.map((plan) => plan.slice?.metadata.name), remove]).toEqual([['web-a'], []])
  })
})
