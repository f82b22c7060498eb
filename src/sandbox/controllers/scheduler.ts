// Binds pods to nodes: spec.nodeName and the node's topology labels. All nodes of the sandbox are this machine.
import { copyJson, equalJson } from '../api-server/json-value.ts'
import { keyOfObject, namespaceOf, runController, splitKey, timestamp, type ControllerContext, type Running } from './controller.ts'
import { withCondition } from './conditions.ts'
import { matchesLabels } from './label-selector.ts'
import { isActive } from './pod-state.ts'
import type { Node, Pod } from './object-shapes.ts'

const NAME = 'default-scheduler'
/** Copied to the pod at binding, as the API server does since 1.35. */
const TOPOLOGY_LABELS = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone']

export function runScheduler(context: ControllerContext): Running {
  const { registry, events, clock } = context

  const reconcile = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const pod = registry.get('pods', namespace, name) as Pod | undefined
    if (!pod || pod.spec.nodeName || !isActive(pod)) return
    const nodes = registry.list('nodes').map((node) => node as Node)
    const fitting = nodes.filter((node) => !node.spec?.unschedulable && matchesLabels(pod.spec.nodeSelector ?? {}, node.metadata.labels))
    const node = leastUsed(fitting, fitting.length > 1 ? registry.list('pods') : [])
    if (node) bind(pod, node)
    else refuse(pod, nodes)
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

  const refuse = (pod: Pod, nodes: readonly Node[]): void => {
    const cordoned = nodes.filter((node) => node.spec?.unschedulable).length
    const others = nodes.length - cordoned
    const reasons = [
      ...(cordoned > 0 ? [`${cordoned} node(s) were unschedulable`] : []),
      ...(others > 0 ? [`${others} node(s) didn't match Pod's node affinity/selector`] : []),
    ]
    const message = nodes.length === 0 ? 'no nodes available to schedule pods' : `0/${nodes.length} nodes are available: ${reasons.join(', ')}.`
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
      { resource: 'pods', keys: (object) => ((object as Pod).spec.nodeName ? [] : [keyOfObject(object)]) },
      // A node that comes or is uncordoned may take the pods that wait.
      { resource: 'nodes', keys: () => registry.list('pods').filter((pod) => !(pod as Pod).spec.nodeName).map(keyOfObject) },
    ],
    reconcile,
  })
}

function leastUsed(nodes: readonly Node[], pods: readonly object[]): Node | undefined {
  const used = new Map<string, number>()
  for (const pod of pods) {
    const { nodeName } = (pod as Pod).spec
    if (nodeName) used.set(nodeName, (used.get(nodeName) ?? 0) + 1)
  }
  return nodes.toSorted((a, b) => (used.get(a.metadata.name) ?? 0) - (used.get(b.metadata.name) ?? 0) || a.metadata.name.localeCompare(b.metadata.name))[0]
}
