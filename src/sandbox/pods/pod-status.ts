// The status of a simulated pod as a kubelet would write it. Pure.
import { timestamp } from '../controllers/controller.ts'
import { findCondition } from '../controllers/conditions.ts'
import type { Condition, Container, Pod, PodStatus } from '../controllers/object-shapes.ts'

export interface PodFacts {
  readonly hostAddress: string
  /** undefined until an address is given out. */
  readonly address: string | undefined
  /** Milliseconds since the epoch: when the kubelet took the pod, and when its server began to listen. */
  readonly acceptedAt: number
  readonly runningAt: number | undefined
  /** Containers answer and nothing holds them back (annotation, initial delay). */
  readonly containersReady: boolean
  readonly now: number
}

export function podStatus(pod: Pod, facts: PodFacts): PodStatus & Record<string, unknown> {
  const { hostAddress, address, acceptedAt, runningAt, containersReady, now } = facts
  const running = runningAt !== undefined
  const before = pod.status?.conditions ?? []
  const gatesOpen = (pod.spec.readinessGates ?? []).every(({ conditionType }) => findCondition(before, conditionType)?.status === 'True')
  const names = pod.spec.containers.map(({ name }) => name).join(' ')
  const notReady = { reason: 'ContainersNotReady', message: `containers with unready status: [${names}]` }
  const gateClosed = { reason: 'ReadinessGatesNotReady', message: 'the status of a pod readiness gate is not "True"' }
  const next: Condition[] = [
    { type: 'PodReadyToStartContainers', status: address === undefined ? 'False' : 'True' },
    { type: 'Initialized', status: 'True' },
    { type: 'Ready', ...(containersReady ? (gatesOpen ? { status: 'True' as const } : { status: 'False' as const, ...gateClosed }) : { status: 'False' as const, ...notReady }) },
    { type: 'ContainersReady', ...(containersReady ? { status: 'True' as const } : { status: 'False' as const, ...notReady }) },
  ]
  const own = new Set(next.map(({ type }) => type))
  return {
    ...pod.status,
    phase: running ? 'Running' : 'Pending',
    conditions: [...next.map((condition) => transition(condition, before, now)), ...before.filter(({ type }) => !own.has(type)).map((condition) => ({ ...condition }))],
    hostIP: hostAddress,
    hostIPs: [{ ip: hostAddress }],
    ...(running && address !== undefined && { podIP: address, podIPs: [{ ip: address }] }),
    startTime: timestamp(acceptedAt),
    ...(pod.spec.initContainers && { initContainerStatuses: pod.spec.initContainers.map((container) => initStatus(pod, container, acceptedAt)) }),
    containerStatuses: pod.spec.containers.map((container) => containerStatus(pod, container, runningAt, containersReady)),
  }
}

function transition(next: Condition, before: readonly Condition[], now: number): Condition {
  const current = findCondition(before, next.type)
  const since = current?.status === next.status && current.lastTransitionTime !== undefined ? current.lastTransitionTime : timestamp(now)
  const { type, status, ...why } = next
  return { type, status, lastProbeTime: null, lastTransitionTime: since, ...why }
}

function containerStatus(pod: Pod, container: Container, runningAt: number | undefined, ready: boolean): Record<string, unknown> {
  const image = container.image ?? ''
  const running = runningAt !== undefined
  return {
    name: container.name,
    state: running ? { running: { startedAt: timestamp(runningAt) } } : { waiting: { reason: 'ContainerCreating' } },
    lastState: {},
    ready,
    restartCount: 0,
    image,
    imageID: running ? `simulated://${image}` : '',
    ...(running && { containerID: `simulated://${pod.metadata.uid}/${container.name}` }),
    started: running,
  }
}

function initStatus(pod: Pod, container: Container, at: number): Record<string, unknown> {
  const image = container.image ?? ''
  const containerID = `simulated://${pod.metadata.uid}/${container.name}`
  const time = timestamp(at)
  return {
    name: container.name,
    state: { terminated: { exitCode: 0, reason: 'Completed', startedAt: time, finishedAt: time, containerID } },
    lastState: {},
    ready: true,
    restartCount: 0,
    image,
    imageID: `simulated://${image}`,
    containerID,
    started: false,
  }
}
