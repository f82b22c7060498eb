// The arithmetic of rollouts, against sequences worked out from kube-controller-manager's rules.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fenceposts, newSetReplicas, proportionalScale, shrinkOldSets } from '../../../src/sandbox/controllers/rollout.ts'
import type { Deployment, ReplicaSet } from '../../../src/sandbox/controllers/object-shapes.ts'

function deploymentOf(replicas: number, maxSurge: number | string, maxUnavailable: number | string): Deployment {
  return {
    apiVersion: 'apps/v1', kind: 'Deployment',
    metadata: { name: 'web', uid: 'd', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: { spec: { containers: [] } }, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } },
  }
}

function setOf(name: string, replicas: number, availableReplicas: number, annotations: Record<string, string> = {}): ReplicaSet {
  return {
    apiVersion: 'apps/v1', kind: 'ReplicaSet',
    metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: `2026-01-01T00:00:0${name.length}Z`, annotations },
    spec: { replicas, selector: {}, template: { spec: { containers: [] } } },
    status: { replicas, availableReplicas },
  }
}

describe('maxSurge and maxUnavailable', () => {
  it('round percentages up for surge and down for unavailable', () => {
    expect(fenceposts(deploymentOf(10, '25%', '25%'))).toEqual({ surge: 3, unavailable: 2 })
    expect(fenceposts(deploymentOf(1, '25%', '25%'))).toEqual({ surge: 1, unavailable: 0 })
  })

  it('let one pod be unavailable where both come to nothing', () => {
    expect(fenceposts(deploymentOf(3, 0, 0))).toEqual({ surge: 0, unavailable: 1 })
  })
})

describe('a rolling update', () => {
  it('starts the new set with the surge only', () => {
    expect(newSetReplicas(deploymentOf(4, 1, 1), [setOf('old', 4, 4)], undefined)).toBe(1)
  })

  it('takes old pods away only as far as minAvailable allows', () => {
    const newest = setOf('newest', 1, 0)
    expect(shrinkOldSets(deploymentOf(4, 1, 1), newest, [setOf('old', 4, 4)]).map(({ replicas }) => replicas)).toEqual([3])
    expect(shrinkOldSets(deploymentOf(4, 1, 0), newest, [setOf('old', 4, 4)])).toEqual([])
  })

  it('takes unhealthy old pods first', () => {
    const sizes = shrinkOldSets(deploymentOf(4, 2, 0), setOf('newest', 2, 2), [setOf('a', 2, 2), setOf('bad', 2, 0)])
    expect(sizes.map(({ set, replicas }) => [set.metadata.name, replicas])).toEqual([['bad', 0]])
  })

  it('never breaks its two promises, whatever becomes ready when', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }), fc.array(fc.boolean(), { maxLength: 200 }), (replicas, maxSurge, maxUnavailable, luck) => {
      const deployment = deploymentOf(replicas, maxSurge, maxUnavailable)
      const { surge, unavailable } = fenceposts(deployment)
      let old = setOf('old', replicas, replicas)
      let newest = setOf('newest', 0, 0)
      for (const lucky of [...luck, ...Array.from({ length: 200 }, () => true)]) {
        const wanted = newSetReplicas(deployment, [newest, old], newest)
        const ready = Math.min(newest.spec.replicas ?? 0, newest.status?.availableReplicas ?? 0)
        if (wanted !== newest.spec.replicas) newest = setOf('newest', wanted, ready)
        else for (const { replicas: next } of shrinkOldSets(deployment, newest, [old])) old = setOf('old', next, next)
        if (lucky && ready < (newest.spec.replicas ?? 0)) newest = setOf('newest', newest.spec.replicas ?? 0, ready + 1)
        expect((old.spec.replicas ?? 0) + (newest.spec.replicas ?? 0)).toBeLessThanOrEqual(replicas + surge)
        expect((old.status?.availableReplicas ?? 0) + (newest.status?.availableReplicas ?? 0)).toBeGreaterThanOrEqual(replicas - Math.min(unavailable, replicas))
      }
      expect([old.spec.replicas, newest.status?.availableReplicas]).toEqual([0, replicas])
    }), { seed: 20_261_120, numRuns: 200 })
  })
})

describe('scaling in the middle of a rollout', () => {
  it('gives each set its share and loses none to rounding', () => {
    const max = { 'deployment.kubernetes.io/max-replicas': '13' }
    const sizes = proportionalScale(deploymentOf(15, 3, 2), setOf('newest', 5, 0, max), [setOf('old', 8, 8, max)])
    expect(Object.fromEntries(sizes.map(({ set, replicas }) => [set.metadata.name, replicas]))).toEqual({ old: 11, newest: 7 })
  })

  it('gives everything to the only active set', () => {
    expect(proportionalScale(deploymentOf(5, 1, 1), setOf('newest', 3, 3), [setOf('old', 0, 0)]).map(({ replicas }) => replicas)).toEqual([5])
  })
})
