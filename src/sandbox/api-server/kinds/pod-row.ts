// The cells of a pod in a table: what its containers' states add up to, as kubectl users know it.
import type { KubeObject, TableCell } from '../kind.ts'
import { ageCell, sinceCell } from './column.ts'
import type { PodSpec } from './pod-spec.ts'

interface ContainerState {
  waiting?: { reason?: string }
  running?: { startedAt?: string }
  terminated?: { reason?: string; signal?: number; exitCode?: number; finishedAt?: string }
}

interface ContainerStatus {
  ready?: boolean
  started?: boolean
  restartCount?: number
  state?: ContainerState
  lastState?: ContainerState
}

export interface PodStatus {
  phase?: string
  reason?: string
  podIP?: string
  podIPs?: { ip?: string }[]
  nominatedNodeName?: string
  conditions?: { type?: string; status?: string; reason?: string }[]
  containerStatuses?: ContainerStatus[]
  initContainerStatuses?: ContainerStatus[]
}

function terminatedReason({ reason, signal, exitCode }: NonNullable<ContainerState['terminated']>): string {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode ?? 0}`)
}

/** `Init:1/2` and the like while init containers run; undefined when they are through. */
function initReason(spec: PodSpec, status: PodStatus): string | undefined {
  for (const [index, { state = {}, ready }] of (status.initContainerStatuses ?? []).entries()) {
    if (state.terminated?.exitCode === 0 || ready === true) continue
    if (state.terminated !== undefined) return `Init:${terminatedReason(state.terminated)}`
    if (state.waiting?.reason && state.waiting.reason !== 'PodInitializing') return `Init:${state.waiting.reason}`
    return `Init:${index}/${spec.initContainers?.length ?? 0}`
  }
  return undefined
}

interface Summary {
  readonly reason: string
  readonly ready: number
  readonly restarts: number
  readonly lastRestart: string | undefined
}

function summarise(status: PodStatus, initial: string): Summary {
  let reason = initial
  let running = false
  let ready = 0
  let restarts = 0
  let lastRestart: string | undefined
  for (const container of (status.containerStatuses ?? []).toReversed()) {
    const { state = {} } = container
    restarts += container.restartCount ?? 0
    const finished = container.lastState?.terminated?.finishedAt
    if (finished !== undefined && (lastRestart === undefined || finished > lastRestart)) lastRestart = finished
    if (state.waiting?.reason) reason = state.waiting.reason
    else if (state.terminated !== undefined) reason = terminatedReason(state.terminated)
    else if (container.ready === true && state.running !== undefined) {
      running = true
      ready++
    }
  }
  if (reason === 'Completed' && running) {
    const isReady = status.conditions?.some(condition => condition.type === 'Ready' && condition.status === 'True') === true
    reason = isReady ? 'Running' : 'NotReady'
  }
  return { reason, ready, restarts, lastRestart }
}

function statusReason(status: PodStatus): string {
  const gated = status.conditions?.some(condition => condition.type === 'PodScheduled' && condition.reason === 'SchedulingGated') === true
  return gated ? 'SchedulingGated' : status.reason || status.phase || ''
}

function gatesCell(spec: PodSpec, status: PodStatus): string {
  const gates = spec.readinessGates ?? []
  if (gates.length === 0) return '<none>'
  const conditions = new Set((status.conditions ?? []).filter(condition => condition.status === 'True').map(condition => condition.type))
  const met = gates.filter(gate => conditions.has(gate.conditionType))
  return `${met.length}/${gates.length}`
}

export function podRow(object: KubeObject, now: Date): TableCell[] {
  const spec = (object['spec'] ?? {}) as PodSpec
  const status = (object['status'] ?? {}) as PodStatus
  const initialising = initReason(spec, status)
  const { reason, ready, restarts, lastRestart } = initialising === undefined ? summarise(status, statusReason(status)) : { reason: initialising, ready: 0, restarts: 0, lastRestart: undefined }
  const finished = status.phase === 'Succeeded' || status.phase === 'Failed'
  const shown = object.metadata.deletionTimestamp === undefined || finished ? reason : status.reason === 'NodeLost' ? 'Unknown' : 'Terminating'
  return [
    object.metadata.name,
    `${ready}/${spec.containers?.length ?? 0}`,
    shown,
    restarts !== 0 && lastRestart !== undefined ? `${restarts} (${sinceCell(lastRestart, now)} ago)` : String(restarts),
    ageCell(object, now),
    status.podIPs?.[0]?.ip || status.podIP || '<none>',
    spec.nodeName || '<none>',
    status.nominatedNodeName || '<none>',
    gatesCell(spec, status),
  ]
}
