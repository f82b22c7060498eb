// A registry with the sandbox's controllers, and its kubelet where a test wants pods that answer.
import type { Clock } from '../../../src/base/clock.ts'
import { systemClock } from '../../../src/base/clock.ts'
import type { ApiRegistry } from '../../../src/sandbox/api-server/api-registry.ts'
import { createRegistry } from '../../../src/sandbox/api-server/create-registry.ts'
import type { KubeObject } from '../../../src/sandbox/api-server/kind.ts'
import { KINDS } from '../../../src/sandbox/api-server/kinds/index.ts'
import { SCHEMAS } from '../../../src/sandbox/api-server/schemas/table.ts'
import { createDefaultObjects } from '../../../src/sandbox/controllers/default-objects.ts'
import { startControllers } from '../../../src/sandbox/controllers/start-controllers.ts'
import type { Deployment, EndpointSlice, Pod } from '../../../src/sandbox/controllers/object-shapes.ts'
import { startKubelet, type Kubelet } from '../../../src/sandbox/pods/kubelet.ts'

export interface Cluster {
  readonly registry: ApiRegistry
  readonly kubelet: Kubelet | undefined
  /** Lines that the controllers wrote for the person who runs the sandbox. */
  readonly lines: readonly string[]
  close(): Promise<void>
}

export interface ClusterOptions {
  readonly clock?: Clock
  /** Without it nothing listens: tests say themselves what pods are. */
  readonly kubelet?: { readonly drainMs: number }
}

export function startCluster({ clock = systemClock, kubelet }: ClusterOptions = {}): Cluster {
  const lines: string[] = []
  const log = (line: string): void => void lines.push(line)
  const registry = createRegistry({ kinds: KINDS, schemas: SCHEMAS, now: () => new Date(clock.now()) })
  createDefaultObjects({ registry, clock, apiAddress: '127.0.0.1', apiPort: 6443 })
  const controllers = startControllers({ registry, clock, log, namespacedResources: KINDS.filter((kind) => kind.namespaced).map((kind) => kind.resource) })
  const running = kubelet && startKubelet({ registry, clock, log, ...kubelet })
  return {
    registry,
    kubelet: running,
    lines,
    async close() {
      controllers.close()
      await running?.close()
      registry.close()
    },
  }
}

/** All microtasks that follow from a write have run when the event loop turns. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Waits until `read` answers something; fails with the last answer of `why`. */
export async function until<Value>(read: () => Value | undefined | false, why: () => unknown = () => 'nothing'): Promise<Value> {
  const deadline = performance.now() + 10_000
  for (;;) {
    const value = read()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`waited in vain; at the end: ${JSON.stringify(why())}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

export function podsOf(registry: ApiRegistry, namespace = 'default'): readonly Pod[] {
  return registry.list('pods', namespace).map((pod) => pod as Pod)
}

export function slicesOf(registry: ApiRegistry, service: string, namespace = 'default'): readonly EndpointSlice[] {
  return registry.list('endpointslices', namespace).map((slice) => slice as EndpointSlice)
    .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === service)
}

export function eventsOf(registry: ApiRegistry, namespace = 'default'): readonly string[] {
  return registry.list('events', namespace).map((event) => `${event['reason']}: ${event['message']}`)
}

/** Says that a pod runs, as the kubelet would. */
export function makeReady(registry: ApiRegistry, pod: KubeObject, ip: string, ready = true, since = new Date()): void {
  const stored = registry.get('pods', pod.metadata.namespace ?? '', pod.metadata.name)
  if (!stored) throw new Error(`no pod ${pod.metadata.name}`)
  const time = `${since.toISOString().slice(0, 19)}Z`
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: time }]
  registry.update('pods', { ...structuredClone(stored), status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions } }, { subresource: 'status' })
}

export interface DeploymentOptions {
  readonly name?: string
  readonly replicas?: number
  readonly image?: string
  /** 0: no port is declared. */
  readonly port?: number
  readonly spec?: Partial<Deployment['spec']>
}

export function deployment({ name = 'web', replicas = 3, image = 'nginx:1', port = 8080, spec = {} }: DeploymentOptions = {}): Record<string, unknown> {
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name, image, ...(port > 0 && { ports: [{ name: 'http', containerPort: port }] }) }] } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      ...spec,
    },
  }
}
