// Node: a machine; the sandbox has one or a few made-up ones.
import type { Kind, KubeObject } from '../kind.ts'
import { AGE, NAME, ageCell, column } from './column.ts'
import { validateMetadata } from './metadata.ts'
import { dns1123Subdomain } from './names.ts'
import { describe } from '../schemas/table.ts'

const ROLE_PREFIX = 'node-role.kubernetes.io/'

interface NodeStatus {
  conditions?: { type?: string; status?: string }[]
  addresses?: { type?: string; address?: string }[]
  nodeInfo?: { kubeletVersion?: string; osImage?: string; kernelVersion?: string; containerRuntimeVersion?: string }
}

function status(object: KubeObject): NodeStatus {
  return (object['status'] ?? {}) as NodeStatus
}

function isUnschedulable(object: KubeObject): boolean {
  return (object['spec'] as { unschedulable?: boolean } | undefined)?.unschedulable === true
}

function statusCell(object: KubeObject): string {
  const ready = status(object).conditions?.find(condition => condition.type === 'Ready')
  const state = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return isUnschedulable(object) ? `${state},SchedulingDisabled` : state
}

function rolesCell(object: KubeObject): string {
  const roles = Object.entries(object.metadata.labels ?? {}).flatMap(([label, value]) => {
    if (label.startsWith(ROLE_PREFIX) && label.length > ROLE_PREFIX.length) return [label.slice(ROLE_PREFIX.length)]
    return label === 'kubernetes.io/role' && value !== '' ? [value] : []
  })
  return roles.length === 0 ? '<none>' : roles.sort().join(',')
}

function addressCell(object: KubeObject, type: string): string {
  return status(object).addresses?.find(address => address.type === type)?.address ?? '<none>'
}

const INFO = 'core.v1.NodeSystemInfo'

export const nodeKind: Kind = {
  group: '', version: 'v1', kind: 'Node', resource: 'nodes', singular: 'node', shortNames: ['no'], categories: [],
  namespaced: false, subresources: ['status'], schemaName: 'io.k8s.api.core.v1.Node', generation: false,
  defaults(draft) {
    draft['spec'] ??= {}
    draft['status'] ??= {}
  },
  validate: (object, old) => validateMetadata(object, old, false, dns1123Subdomain),
  columns: [
    NAME,
    column('Status', 'The status of the node'),
    column('Roles', 'The roles of the node'),
    AGE,
    column('Version', describe(INFO, 'kubeletVersion')),
    column('Internal-IP', describe('core.v1.NodeStatus', 'addresses'), { priority: 1 }),
    column('External-IP', describe('core.v1.NodeStatus', 'addresses'), { priority: 1 }),
    column('OS-Image', describe(INFO, 'osImage'), { priority: 1 }),
    column('Kernel-Version', describe(INFO, 'kernelVersion'), { priority: 1 }),
    column('Container-Runtime', describe(INFO, 'containerRuntimeVersion'), { priority: 1 }),
  ],
  row(object, now) {
    const info = status(object).nodeInfo ?? {}
    return [
      object.metadata.name, statusCell(object), rolesCell(object), ageCell(object, now), info.kubeletVersion ?? '',
      addressCell(object, 'InternalIP'), addressCell(object, 'ExternalIP'),
      info.osImage || '<unknown>', info.kernelVersion || '<unknown>', info.containerRuntimeVersion || '<unknown>',
    ]
  },
  fields: { 'spec.unschedulable': object => String(isUnschedulable(object)) },
}
