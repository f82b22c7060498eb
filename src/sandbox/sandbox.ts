// The whole sandbox: the Kubernetes API, what a cluster's controllers do, pods that answer, and the files applied to it.
import { systemClock, type Clock } from '../base/clock.ts'
import type { ApiRegistry } from './api-server/api-registry.ts'
import { decoders } from './api-server/http/decoders.ts'
import { writeKubeconfig } from './api-server/kubeconfig.ts'
import { KINDS } from './api-server/kinds/index.ts'
import { startApiServer, type ApiServer } from './api-server/start.ts'
import { createManifestApplier } from './apply/manifest-applier.ts'
import { watchManifests } from './apply/manifest-watch.ts'
import { createDefaultObjects } from './controllers/default-objects.ts'
import { startControllers } from './controllers/start-controllers.ts'
import { startDnsServer, type DnsServer } from './dns/dns-server.ts'
import { startKubeProxy, type KubeProxy } from './kube-proxy/kube-proxy.ts'
import { servicesListing } from './kube-proxy/plugin.ts'
import { startKubelet, type Kubelet } from './pods/kubelet.ts'
import { CONNECT_SUBRESOURCES, proxySubresource } from './proxy-subresource/plugin.ts'

export interface SandboxOptions {
  /** 0 takes any free port. */
  readonly apiPort: number
  readonly address: string
  /** Where a kubeconfig is written. */
  readonly kubeconfigPath: string
  /** Files and directories to apply now and whenever they change. */
  readonly apply: readonly string[]
  /** One line for the person who runs it. */
  readonly log: (line: string) => void
  /** How long a terminating pod goes on taking requests, in ms. */
  readonly drainMs?: number
  /** Requests with `Authorization: Bearer serviceaccount:<namespace>:<name>` get that account's rights only. */
  readonly rbac?: boolean
  /** Whether the addresses of Services answer; yes unless told otherwise. */
  readonly kubeProxy?: boolean
  /** Of the DNS server; 0 takes any free port. Left out: there is none. */
  readonly dnsPort?: number
  readonly clock?: Clock
}

export interface Sandbox {
  readonly url: string
  readonly port: number
  readonly registry: ApiRegistry
  /** undefined: there is no DNS server. */
  readonly dnsPort: number | undefined
  /** Hears of every request for a resource; the answer stops it. */
  readonly onRequest: ApiServer['onRequest']
  /** Stops answering and listening everywhere. */
  close(): Promise<void>
}

/** Resolves when the API answers and the files are applied; pods come up in the moments after. Throws what listening and writing throw. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { log, clock = systemClock, rbac = false, kubeProxy = true, apply, address } = options
  const pods: { kubelet?: Kubelet; kubeProxy?: KubeProxy } = {}
  const api = await startApiServer({
    port: options.apiPort,
    address,
    kinds: KINDS,
    log,
    rbac,
    plugins: (registry) => [
      proxySubresource({ registry, podLog: (namespace, name) => pods.kubelet?.podLog(namespace, name) }),
      servicesListing(() => pods.kubeProxy?.list() ?? []),
    ],
    connect: CONNECT_SUBRESOURCES,
  })
  const { registry } = api
  createDefaultObjects({ registry, clock, apiAddress: address, apiPort: api.port })
  const controllers = startControllers({ registry, clock, log, firstBalancer: api.port, namespacedResources: namespacedResources(registry) })
  const kubelet = startKubelet({ registry, clock, log, ...(options.drainMs !== undefined && { drainMs: options.drainMs }) })
  pods.kubelet = kubelet
  if (kubeProxy) pods.kubeProxy = startKubeProxy({ registry, clock, log })
  let dns: DnsServer | undefined
  const stopApplying = keepApplied(registry, apply, clock, log)
  const close = async (): Promise<void> => {
    stopApplying()
    dns?.close()
    controllers.close()
    // The API first: whoever watches it learns of the end before the pods are gone.
    await api.close()
    pods.kubeProxy?.close()
    await kubelet.close()
  }
  try {
    if (options.dnsPort !== undefined) dns = await startDnsServer({ registry, address, port: options.dnsPort })
    await writeKubeconfig(options.kubeconfigPath, api.url)
  } catch (error) {
    await close()
    throw error
  }
  return { url: api.url, port: api.port, registry, dnsPort: dns?.port, onRequest: api.onRequest, close }
}

function keepApplied(registry: ApiRegistry, paths: readonly string[], clock: Clock, log: (line: string) => void): () => void {
  if (paths.length === 0) return () => undefined
  const applier = createManifestApplier({ registry, decoders, log })
  applier.sync(paths)
  const stopWatch = watchManifests(paths, clock, () => applier.sync(paths))
  const stopNamespaces = registry.watch('namespaces', ({ type, object }) => {
    if (type === 'ADDED' && applier.missingNamespaces.has(object.metadata.name)) applier.sync(paths)
  })
  return () => {
    stopWatch()
    stopNamespaces()
  }
}

/** `plural.group` where two groups might share a plural. */
function namespacedResources(registry: ApiRegistry): readonly string[] {
  return registry.kinds.filter((kind) => kind.namespaced).map((kind) => (kind.group === '' ? kind.resource : `${kind.resource}.${kind.group}`))
}
