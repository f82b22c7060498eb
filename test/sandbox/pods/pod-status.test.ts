import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Pod } from '../../../src/sandbox/controllers/object-shapes.ts'
import { createAddressPool } from '../../../src/sandbox/pods/address-pool.ts'
import { portsToListen } from '../../../src/sandbox/pods/pod-ports.ts'
import { podStatus } from '../../../src/sandbox/pods/pod-status.ts'

const podOf = (spec: Partial<Pod['spec']> = {}, status: Pod['status'] = { phase: 'Pending' }): Pod => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-11-20T12:00:00Z' },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec }, status,
})
const facts = { hostAddress: '127.0.0.1', address: '127.10.0.1', acceptedAt: 0, runningAt: 1000, containersReady: true, now: 5000 }

describe('the status of a pod', () => {
  it('keeps the time of a condition that did not change', () => {
    const before = podStatus(podOf(), facts)
    const after = podStatus(podOf({}, before), { ...facts, containersReady: false, now: 9000 })
    const time = (status: typeof before, type: string) => status.conditions?.find((each) => each.type === type)?.lastTransitionTime
    expect(time(before, 'Ready')).toBe('1970-01-01T00:00:05Z')
    expect(time(after, 'Ready')).toBe('1970-01-01T00:00:09Z')
    expect(time(after, 'Initialized')).toBe('1970-01-01T00:00:05Z')
  })

  it('is not ready before its readiness gates are open', () => {
    const gated = podOf({ readinessGates: [{ conditionType: 'example.com/gate' }] })
    expect(podStatus(gated, facts).conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady' }))
    const open = { ...gated, status: { conditions: [{ type: 'example.com/gate', status: 'True' as const }] } }
    expect(podStatus(open, facts).conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }))
  })
})

describe('the ports of a pod', () => {
  it('are its TCP containerPorts, once each', () => {
    expect(portsToListen(podOf({ containers: [{ name: 'a', ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP' }] }, { name: 'b', ports: [{ containerPort: 80 }, { containerPort: 81 }] }] }), [])).toEqual([80, 81])
  })
})

describe('the pool of pod addresses', () => {
  it('never gives out an address twice, nor one again soon after its release', () => {
    fc.assert(fc.property(fc.array(fc.boolean(), { maxLength: 400 }), (steps) => {
      const pool = createAddressPool()
      const held: string[] = []
      const recent: string[] = []
      for (const take of steps) {
        if (take || held.length === 0) {
          const address = pool.take() ?? ''
          expect(address).toMatch(/^127\.10\.\d{1,3}\.(?!0$|255$)\d{1,3}$/)
          expect(held).not.toContain(address)
          expect(recent).not.toContain(address)
          held.push(address)
        } else {
          const address = held.shift() ?? ''
          recent.push(address)
          pool.release(address)
        }
      }
    }), { seed: 7, numRuns: 50 })
  })
})
