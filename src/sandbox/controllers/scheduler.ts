// Binds pods to nodes: spec.nodeName and the node's topology labels. All nodes of the sandbox are this machine.
import { copyJson, equalJson } from '../api-server/json-value.ts'
import type { KubeObject } from '../api-server/kind.ts'
import type { Registry } from '../api-server/registry.ts'
import { keyOfObject, namespaceOf, runController, splitKey, timestamp, type ControllerContext, type Running } from './controller.ts'
import { withCondition } from './conditions.ts'
import { matchesLabels } from './label-selector.ts'
import { isActive } from './pod-state.ts'
import type { Node, Pod } from './object-shapes.ts'

const NAME = 'default-scheduler'
/** Where a Node says nothing itself; the kubelet's own default. */
const PODS_OF_A_NODE = 110
/** Copied to the pod at binding, as the API server does since 1.35. */
const TOPOLOGY_LABELS = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone']

export function runScheduler(context: ControllerContext): Running {
  const { registry, events, clock } = context

  const reconcile = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const pod = registry.get('pods', namespace, name) as Pod | undefined
    if (!pod || pod.spec.nodeName || !isActive(pod)) return
    const nodes = registry.list('nodes').map((node) => node as Node)
    const used = podsByNode(registry.list('pods'))
    const reasons = new Map<string, number>()
    const fitting = nodes.filter((node) => {
      const reason = unfit(pod, node, used)
      if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      return reason === undefined
    })
    const [node] = fitting.toSorted((a, b) => usedOf(a, used) - usedOf(b, used) || a.metadata.name.localeCompare(b.metadata.name))
    if (node) bind(pod, node)
    else refuse(pod, nodes.length, reasons)
  }

  const bind = (pod: Pod, node: Node): void => {
    const bound = copyJson(pod)
    bound.spec.nodeName = node.metadata.name
    const labels = TOPOLOGY_LABELS.flatMap((label) => {
      const value = node.metadata.labels?.[label]
      return value === undefined ? [] : [[label, value] as const]
    })
    if (labels.length > 0) bound.metadata.labels = { ...bound.metadata.labels, ...Object.fromEntries(labels) }
    const stored = registry.update('pods', bound, { fieldManager: 'kube-scheduler' }) as Pod
    writeCondition(stored, { type: 'PodScheduled', status: 'True' })
    events.record(pod, NAME, 'Normal', 'Scheduled', `Successfully assigned ${namespaceOf(pod)}/${pod.metadata.name} to ${node.metadata.name}`)
  }

  const refuse = (pod: Pod, nodes: number, reasons: ReadonlyMap<string, number>): void => {
    const why = [...reasons].map(([reason, count]) => `${count} ${reason}`).join(', ')
    const message = nodes === 0 ? 'no nodes available to schedule pods' : `0/${nodes} nodes are available: ${why}.`
    writeCondition(pod, { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message })
    events.record(pod, NAME, 'Warning', 'FailedScheduling', message)
  }

  const writeCondition = (pod: Pod, condition: { type: string; status: 'True' | 'False'; reason?: string; message?: string }): void => {
    const before = pod.status?.conditions ?? []
    const conditions = withCondition(before, { lastProbeTime: null, lastTransitionTime: timestamp(clock.now()), ...condition })
    if (equalJson(conditions, [...before])) return
    registry.update('pods', { ...pod, status: { ...pod.status, conditions } }, { fieldManager: 'kube-scheduler', subresource: 'status' })
  }

  return runController(context, {
    name: NAME,
    sources: [
      // A pod that ends leaves room for those that wait.
      { resource: 'pods', keys: (object, type) => (type === 'DELETED' ? waiting(registry) : (object as Pod).spec.nodeName ? [] : [keyOfObject(object)]) },
      // A node that comes or is uncordoned may take the pods that wait.
      { resource: 'nodes', keys: () => waiting(registry) },
    ],
    reconcile,
  })
}

function waiting(registry: Registry): readonly string[] {
  return registry.list('pods').filter((pod) => !(pod as Pod).spec.nodeName).map(keyOfObject)
}

function unfit(pod: Pod, node: Node, used: ReadonlyMap<string, number>): string | undefined {
  if (node.spec?.unschedulable) return 'node(s) were unschedulable'
  if (!matchesLabels(pod.spec.nodeSelector ?? {}, node.metadata.labels)) return "node(s) didn't match Pod's node affinity/selector"
  const room = Number(node.status?.allocatable?.['pods'] ?? PODS_OF_A_NODE)
  return usedOf(node, used) >= room ? 'Too many pods' : undefined
}

function usedOf(node: Node, used: ReadonlyMap<string, number>): number {
  return used.get(node.metadata.name) ?? 0
}

function podsByNode(pods: readonly KubeObject[]): ReadonlyMap<string, number> {
  const used = new Map<string, number>()
  for (const pod of pods) {
    const { nodeName } = (pod as Pod).spec
    if (nodeName) used.set(nodeName, (used.get(nodeName) ?? 0) + 1)
  }
  return used
}
