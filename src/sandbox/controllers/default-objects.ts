// What a cluster has before anyone applies anything: namespaces, the API's own Service, a node, the IngressClass.
import { arch, cpus, platform, release, totalmem } from 'node:os'
import type { Clock } from '../../base/clock.ts'
import type { KubeObject } from '../api-server/kind.ts'
import type { Registry } from '../api-server/registry.ts'
import { isApiError, timestamp } from './controller.ts'

export const NODE_NAME = 'sandbox'
export const NODE_ADDRESS = '127.0.0.1'
const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

export interface DefaultObjectsOptions {
  readonly registry: Registry
  readonly clock: Clock
  /** Where the API itself listens: the endpoint of Service default/kubernetes. */
  readonly apiAddress: string
  readonly apiPort: number
}

/** Makes what is missing; run it before the controllers start. */
export function createDefaultObjects({ registry, clock, apiAddress, apiPort }: DefaultObjectsOptions): void {
  const ensure = (resource: string, object: Record<string, unknown>): void => {
    try {
      registry.create(resource, object, { fieldManager: 'kube-apiserver' })
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists')) throw error
    }
  }
  for (const name of NAMESPACES) ensure('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  ensure('nodes', nodeObject())
  writeNodeStatus(registry, clock.now())
  ensure('ingressclasses', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'narthex', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    spec: { controller: 'narthex.ingress.kubernetes.io/controller' },
  })
  ensure('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
    // The sandbox's API speaks plain HTTP, so its Service does not claim https.
    spec: { type: 'ClusterIP', ports: [{ name: 'http', port: 80, targetPort: apiPort, protocol: 'TCP' }] },
  })
  const address = apiAddress === '0.0.0.0' || apiAddress === '::' ? NODE_ADDRESS : apiAddress
  ensure('endpoints', {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: address }], ports: [{ name: 'http', port: apiPort, protocol: 'TCP' }] }],
  })
  ensure('endpointslices', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: address.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'http', port: apiPort, protocol: 'TCP' }],
  })
}

function nodeObject(): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: NODE_NAME,
      labels: {
        'kubernetes.io/hostname': NODE_NAME,
        'kubernetes.io/os': platform(),
        'kubernetes.io/arch': goArchitecture(),
        'topology.kubernetes.io/region': 'local',
        'topology.kubernetes.io/zone': 'local-a',
      },
    },
  }
}

function writeNodeStatus(registry: Registry, now: number): void {
  const node = registry.get('nodes', '', NODE_NAME)
  if (!node) return
  const time = timestamp(now)
  const room = { cpu: String(cpus().length), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: '1000' }
  const condition = (type: string, status: string, reason: string, message: string): Record<string, string> =>
    ({ type, status, lastHeartbeatTime: time, lastTransitionTime: time, reason, message })
  const status: KubeObject['status'] = {
    capacity: room,
    allocatable: room,
    conditions: [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
    ],
    addresses: [{ type: 'InternalIP', address: NODE_ADDRESS }, { type: 'Hostname', address: NODE_NAME }],
    nodeInfo: {
      machineID: '', systemUUID: '', bootID: '',
      kernelVersion: release(),
      osImage: 'Narthex sandbox',
      containerRuntimeVersion: `simulated://${process.versions.node}`,
      kubeletVersion: 'v1.36.2',
      kubeProxyVersion: '',
      operatingSystem: platform(),
      architecture: goArchitecture(),
    },
  }
  registry.update('nodes', { ...node, status }, { subresource: 'status', fieldManager: 'kubelet' })
}

function goArchitecture(): string {
  return { x64: 'amd64', ia32: '386' }[arch() as string] ?? arch()
}
