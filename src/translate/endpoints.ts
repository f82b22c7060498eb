// Step 4: the endpoints of each Service port in use, from its EndpointSlices. A change of one slice replaces one backend.
import { isIP } from 'node:net'
import { reuse } from '../base/reuse.ts'
import type { EndpointSlice, SliceEndpoint } from '../kube/objects.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { ObjectRef } from '../model/object-ref.ts'
import type { Backend, Endpoint, Scheduler } from '../model/routing.ts'
import { schedulerFields, withWeights } from './balancing.ts'
import type { Draft, Target, View } from './draft.ts'
import { isSpecialAddress } from './external-name.ts'
import { remember } from './memory.ts'
import { warning } from './report.ts'

const NO_SLICES: readonly EndpointSlice[] = Object.freeze([])

export function endpoints(view: View, draft: Draft): void {
  const { slicesByService } = view.state
  const { endpointInputs: kept } = view.memo
  const { allowLoopback, scheduler } = view.options
  draft.backends = remember(view.memo.endpoints, [draft.targets, slicesByService, allowLoopback, scheduler], (before) => {
    const after = new Map<string, Backend>()
    let changed = before === undefined || before.size !== draft.targets.size
    for (const target of draft.targets.values()) {
      const slices = slicesByService.get(target.serviceKey) ?? NO_SLICES
      const last = kept.get(target.id)
      if (last !== undefined && last.target === target && last.slices === slices && last.allowLoopback === allowLoopback && last.scheduler === scheduler) {
        after.set(target.id, last.backend)
        continue
      }
      const backend = reuse(last?.backend, backendOf(target, slices, allowLoopback, scheduler))
      if (backend !== last?.backend) changed = true
      kept.set(target.id, { target, slices, allowLoopback, scheduler, backend })
      after.set(target.id, backend)
    }
    if (kept.size > after.size) for (const id of kept.keys()) if (!after.has(id)) kept.delete(id)
    return changed || before === undefined ? after : before
  })
  draft.diagnostics.push(remember(view.memo.withoutEndpoints, [draft.backends, draft.ingresses, draft.resolutions, draft.defaultBackend, draft.streams], () => withoutEndpoints(draft)))
}

/** One for each Ingress and backend, however many of its paths lead there. */
function withoutEndpoints(draft: Draft): readonly Diagnostic[] {
  const empty = new Map<string, Backend>()
  for (const backend of draft.backends.values()) if (!backend.endpoints.some(({ weight }) => weight > 0)) empty.set(backend.id, backend)
  if (empty.size === 0) return []
  const fallback = draft.defaultBackend === undefined ? undefined : empty.get(draft.defaultBackend)
  const ofController = fallback === undefined ? [] : [noneReady(fallback, { kind: 'Service', apiVersion: 'v1', namespace: fallback.namespace, name: fallback.service }, '--default-backend-service')]
  const ofIngresses = draft.ingresses.flatMap(({ object, references }) => {
    const told = new Set<string>()
    return references.flatMap(({ key, field }) => {
      const id = draft.resolutions.get(key)?.backend
      const backend = id === undefined ? undefined : empty.get(id)
      if (backend === undefined || told.has(backend.id)) return []
      told.add(backend.id)
      return [noneReady(backend, object, field)]
    })
  })
  const ofStreams = [...draft.streams.values()].flatMap(({ backend: id, source }) => {
    const backend = empty.get(id)
    return backend === undefined ? [] : [noneReady(backend, source.object, source.field, 'connections for it are closed')]
  })
  return [...ofController, ...ofIngresses, ...ofStreams]
}

function noneReady(backend: Backend, object: ObjectRef, field: string, outcome = 'requests for it are answered with 503'): Diagnostic {
  if (backend.endpoints.length > 0) {
    return warning('NoReadyEndpoints', object, {
      field,
      message: `All endpoints of Service ${backend.namespace}/${backend.service} for port ${backend.port} weigh 0, so they are drained; ${outcome}.`,
      fix: 'Give one of them a weight above 0 in the annotation with the weights.',
    })
  }
  return warning('NoReadyEndpoints', object, {
    field,
    message: `Service ${backend.namespace}/${backend.service} has no ready endpoint for port ${backend.port}; ${outcome}.`,
    fix: `Check its pods: kubectl get endpointslices -n ${backend.namespace} -l kubernetes.io/service-name=${backend.service}`,
  })
}

function backendOf(target: Target, slices: readonly EndpointSlice[], allowLoopback: boolean, scheduler: Scheduler): Backend {
  const { external, balancing } = target
  const endpoints = external === undefined ? select(slices, target.portName, allowLoopback, target.protocol) : [endpointOf(external.name, external.port)]
  return {
    id: target.id,
    namespace: target.namespace,
    service: target.service,
    port: String(target.port),
    ...schedulerFields(balancing, scheduler),
    endpoints: withWeights(endpoints, balancing.weights),
  }
}

interface Candidate {
  readonly endpoint: Endpoint
  readonly source: SliceEndpoint
}

/**
 * Ready endpoints; if there are none, those that still serve while they terminate (the rule of kube-proxy, KEP-1669).
 * IPv4 before IPv6, never both: in a dual-stack Service they are the same pods.
 */
export function select(slices: readonly EndpointSlice[], portName: string, allowLoopback: boolean, protocol = 'TCP'): readonly Endpoint[] {
  const families = (['IPv4', 'IPv6'] as const).map((family) => candidates(slices, family, portName, allowLoopback, protocol))
  for (const usable of [isReady, isServing]) {
    for (const family of families) {
      const chosen = family.filter(({ source }) => usable(source)).map(({ endpoint }) => endpoint)
      if (chosen.length > 0) return chosen.sort(byAddress)
    }
  }
  return []
}

function isReady(source: SliceEndpoint): boolean {
  return source.ready
}

function isServing(source: SliceEndpoint): boolean {
  return source.serving && source.terminating
}

/** One candidate an address and port: during moves an endpoint is in two slices, and the ready copy counts. */
function candidates(slices: readonly EndpointSlice[], family: 'IPv4' | 'IPv6', portName: string, allowLoopback: boolean, protocol: string): readonly Candidate[] {
  const byId = new Map<string, Candidate>()
  const version = family === 'IPv4' ? 4 : 6
  for (const slice of slices) {
    if (slice.addressType !== family || slice.meta.deleting) continue
    const port = slice.ports.find((port) => port.name === portName && port.protocol === protocol)?.port
    if (port === undefined) continue
    for (const source of slice.endpoints) {
      if (isIP(source.address) !== version || (!allowLoopback && isSpecialAddress(source.address))) continue
      const endpoint = endpointOf(source.address, port, source)
      const known = byId.get(endpoint.id)
      if (known === undefined || (!known.source.ready && (source.ready || isServing(source)))) byId.set(endpoint.id, { endpoint, source })
    }
  }
  return [...byId.values()]
}

function endpointOf(address: string, port: number, source?: SliceEndpoint): Endpoint {
  return {
    id: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    address,
    port,
    weight: 1,
    ...(source?.podName !== undefined && { podName: source.podName }),
    ...(source?.nodeName !== undefined && { nodeName: source.nodeName }),
    ...(source?.zone !== undefined && { zone: source.zone }),
  }
}

function byAddress(a: Endpoint, b: Endpoint): number {
  if (a.address !== b.address) return a.address < b.address ? -1 : 1
  return a.port - b.port
}
