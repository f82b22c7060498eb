// Deployment → ReplicaSet → Pod as users see it. Pods become ready when the test says so.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Deployment, ReplicaSet } from '../../../src/sandbox/controllers/object-shapes.ts'
import { deployment, eventsOf, makeReady, podsOf, settled, startCluster, until, type Cluster } from '../support/cluster.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'

let cluster: Cluster
let clock: FakeClock
beforeEach(() => {
  clock = fakeClock(Date.parse('2026-11-20T12:00:00Z'))
  cluster = startCluster({ clock })
})
afterEach(() => cluster.close())

const read = (): Deployment => cluster.registry.get('deployments', 'default', 'web') as Deployment
const sets = (): readonly ReplicaSet[] => cluster.registry.list('replicasets', 'default').map((set) => set as ReplicaSet)
const live = () => podsOf(cluster.registry).filter((pod) => pod.metadata.deletionTimestamp === undefined)
const condition = (type: string) => read().status?.conditions?.find((each) => each.type === type)

/** The pods that are there and not ready become so, until the rollout rests. */
async function letPodsRun(): Promise<void> {
  for (let round = 0; round < 30; round++) {
    await settled()
    for (const pod of podsOf(cluster.registry)) {
      if (pod.metadata.deletionTimestamp !== undefined) cluster.registry.delete('pods', 'default', pod.metadata.name, { gracePeriodSeconds: 0 })
      else if (pod.status?.podIP === undefined) makeReady(cluster.registry, pod, `127.10.0.${Number(pod.metadata.resourceVersion) % 250}`, true, new Date(clock.now()))
    }
  }
}

const setImage = (image: string) => cluster.registry.patch('deployments', 'default', 'web', { spec: { template: { spec: { containers: [{ name: 'web', image, ports: [{ name: 'http', containerPort: 8080 }] }] } } } })

describe('a Deployment', () => {
  it('makes a ReplicaSet and its pods in the tick of its creation', async () => {
    cluster.registry.create('deployments', deployment())
    await settled()
    const [set] = sets()
    expect(set?.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{10}$/)
    const hash = set?.metadata.labels?.['pod-template-hash']
    expect(set?.spec.selector.matchLabels).toEqual({ app: 'web', 'pod-template-hash': hash })
    expect(live()).toHaveLength(3)
    expect(live()[0]?.metadata.labels).toMatchObject({ app: 'web', 'pod-template-hash': hash })
    expect(live()[0]?.metadata.name).toMatch(new RegExp(`^${set?.metadata.name}-[a-z0-9]{5}$`))
    expect(eventsOf(cluster.registry)).toContain(`ScalingReplicaSet: Scaled up replica set ${set?.metadata.name} from 0 to 3`)
  })

  it('has the status that a real one has, before and after its pods run', async () => {
    cluster.registry.create('deployments', deployment({ replicas: 2 }))
    await settled()
    expect(read().status).toMatchObject({ observedGeneration: 1, replicas: 2, updatedReplicas: 2, unavailableReplicas: 2, terminatingReplicas: 0 })
    expect(read().status).not.toHaveProperty('readyReplicas')
    expect(condition('Available')).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' })
    expect(condition('Progressing')).toMatchObject({ status: 'True', reason: 'ReplicaSetUpdated', message: `ReplicaSet "${sets()[0]?.metadata.name}" is progressing.` })
    await letPodsRun()
    expect(read().status).toMatchObject({ observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 })
    expect(read().status).not.toHaveProperty('unavailableReplicas')
    expect(condition('Available')).toMatchObject({ status: 'True', reason: 'MinimumReplicasAvailable' })
    expect(condition('Progressing')).toMatchObject({ reason: 'NewReplicaSetAvailable' })
    expect(read().metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1')
    expect(read().metadata.generation).toBe(1)
  })

  it('scales up and down, keeping its rollout complete', async () => {
    cluster.registry.create('deployments', deployment({ replicas: 3 }))
    await letPodsRun()
    cluster.registry.patch('deployments', 'default', 'web', { spec: { replicas: 5 } })
    await letPodsRun()
    expect(live()).toHaveLength(5)
    cluster.registry.patch('deployments', 'default', 'web', { spec: { replicas: 1 } })
    await letPodsRun()
    expect(live()).toHaveLength(1)
    expect(condition('Progressing')?.reason).toBe('NewReplicaSetAvailable')
    expect(eventsOf(cluster.registry).filter((event) => event.startsWith('Scaling')).map((event) => event.slice(-11))).toEqual([' from 0 to 3', ' from 3 to 5', ' from 5 to 1'].map((text) => text.slice(-11)))
  })

  it('scales down the pods that are not ready, then the youngest', async () => {
    cluster.registry.create('deployments', deployment({ replicas: 3 }))
    await letPodsRun()
    const [oldest, sick] = live()
    await clock.advance(60_000)
    makeReady(cluster.registry, sick ?? fail(), sick?.status?.podIP ?? '', false)
    cluster.registry.patch('deployments', 'default', 'web', { spec: { replicas: 2 } })
    await settled()
    expect(live().map((pod) => pod.metadata.name)).not.toContain(sick?.metadata.name)
    cluster.registry.patch('pods', 'default', oldest?.metadata.name ?? '', { metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '100' } } })
    cluster.registry.patch('deployments', 'default', 'web', { spec: { replicas: 1 } })
    await settled()
    expect(live().map((pod) => pod.metadata.name)).toEqual([oldest?.metadata.name])
  })

  it('replaces all pods by a rolling update and rolls back to the old ReplicaSet under a new revision', async () => {
    cluster.registry.create('deployments', deployment())
    await letPodsRun()
    setImage('nginx:2')
    await letPodsRun()
    expect(live().map((pod) => pod.spec.containers[0]?.image)).toEqual(['nginx:2', 'nginx:2', 'nginx:2'])
    expect(sets().map((set) => set.spec.replicas).toSorted()).toEqual([0, 3])
    expect(read().metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2')
    expect(read().status).toMatchObject({ replicas: 3, updatedReplicas: 3, availableReplicas: 3 })
    setImage('nginx:1')
    await letPodsRun()
    expect(sets()).toHaveLength(2)
    const current = sets().find((set) => set.spec.replicas === 3)
    expect(current?.metadata.annotations).toMatchObject({ 'deployment.kubernetes.io/revision': '3', 'deployment.kubernetes.io/revision-history': '1' })
    expect(read().metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3')
  })

  it('stops all old pods first with strategy Recreate', async () => {
    cluster.registry.create('deployments', deployment({ spec: { strategy: { type: 'Recreate' } } }))
    await letPodsRun()
    setImage('nginx:2')
    await settled()
    expect(podsOf(cluster.registry).map((pod) => pod.spec.containers[0]?.image)).toEqual(['nginx:1', 'nginx:1', 'nginx:1'])
    expect(live()).toHaveLength(0)
    await letPodsRun()
    expect(live().map((pod) => pod.spec.containers[0]?.image)).toEqual(['nginx:2', 'nginx:2', 'nginx:2'])
  })

  it('does not roll while paused, but scales', async () => {
    cluster.registry.create('deployments', deployment({ replicas: 2 }))
    await letPodsRun()
    cluster.registry.patch('deployments', 'default', 'web', { spec: { paused: true } })
    setImage('nginx:2')
    cluster.registry.patch('deployments', 'default', 'web', { spec: { replicas: 4 } })
    await letPodsRun()
    expect(live().map((pod) => pod.spec.containers[0]?.image)).toEqual(['nginx:1', 'nginx:1', 'nginx:1', 'nginx:1'])
    expect(condition('Progressing')).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused' })
    cluster.registry.patch('deployments', 'default', 'web', { spec: { paused: false } })
    await letPodsRun()
    expect(live().every((pod) => pod.spec.containers[0]?.image === 'nginx:2')).toBe(true)
  })

  it('says when the rollout makes no progress within its deadline', async () => {
    cluster.registry.create('deployments', deployment({ spec: { progressDeadlineSeconds: 60 } }))
    await settled()
    await clock.advance(62_000)
    await settled()
    expect(condition('Progressing')).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' })
  })

  it('waits minReadySeconds before it calls a pod available', async () => {
    cluster.registry.create('deployments', deployment({ replicas: 1, spec: { minReadySeconds: 10 } }))
    await letPodsRun()
    expect(read().status).toMatchObject({ readyReplicas: 1, unavailableReplicas: 1 })
    await clock.advance(11_000)
    await settled()
    expect(read().status).toMatchObject({ availableReplicas: 1 })
  })

  it('replaces a pod that is deleted', async () => {
    cluster.registry.create('deployments', deployment({ replicas: 2 }))
    await letPodsRun()
    const [victim] = live()
    cluster.registry.delete('pods', 'default', victim?.metadata.name ?? '')
    await settled()
    expect(live()).toHaveLength(2)
  })

  it('keeps as many old ReplicaSets as revisionHistoryLimit says', async () => {
    cluster.registry.create('deployments', deployment({ replicas: 1, spec: { revisionHistoryLimit: 1 } }))
    for (const image of ['nginx:2', 'nginx:3', 'nginx:4']) {
      await letPodsRun()
      setImage(image)
    }
    await letPodsRun()
    expect(sets().map((set) => set.spec.template.spec.containers[0]?.image).toSorted()).toEqual(['nginx:3', 'nginx:4'])
  })

  it('takes its ReplicaSets and pods with it', async () => {
    cluster.registry.create('deployments', deployment())
    await letPodsRun()
    cluster.registry.delete('deployments', 'default', 'web')
    await letPodsRun()
    await until(() => sets().length === 0 && podsOf(cluster.registry).length === 0)
    expect(cluster.lines).toEqual([])
  })
})

function fail(): never {
  throw new Error('no such pod')
}
