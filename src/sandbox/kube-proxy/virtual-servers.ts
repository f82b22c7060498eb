// What a Service is to who connects: its virtual addresses and the endpoints behind each (the rules of kube-proxy). Pure.
import { isIP } from 'node:net'
import type { Backend, Endpoint } from '../../model/routing.ts'
import { SCHEDULERS } from '../../model/scheduler.ts'
import { parseWeights, withWeights, type WeightRule } from '../../model/weights.ts'
import { keyOfObject } from '../controllers/controller.ts'
import { NODE_ADDRESS, NODE_NAME } from '../controllers/default-objects.ts'
import type { EndpointSlice, Service, ServicePort, SliceEndpoint } from '../controllers/object-shapes.ts'

export type VirtualServerKind = 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalIP'

export interface VirtualServer {
  /** `TCP 127.96.0.10:80`: no two have the same while their addresses are their own. */
  readonly id: string
  readonly protocol: 'TCP' | 'UDP'
  readonly address: string
  readonly port: number
  readonly kind: VirtualServerKind
  /** `namespace/name`. */
  readonly service: string
  readonly scheduler: Backend['scheduler']
  /** sessionAffinity ClientIP: milliseconds for which a client keeps its endpoint, and what shares one memory of it. */
  readonly affinity: { readonly key: string; readonly timeoutMs: number } | undefined
  /** None: connections are refused, as kube-proxy has it. */
  readonly endpoints: readonly Endpoint[]
}

const SCHEDULER_ANNOTATION = 'narthex.ingress.kubernetes.io/scheduler'
const WEIGHTS_ANNOTATION = 'narthex.ingress.kubernetes.io/weights'
const SECOND = 1000
const AFFINITY_SECONDS = 10_800

/** Addresses outside 127.0.0.0/8 are another machine's and left out. */
export function virtualServers(service: Service, slices: readonly EndpointSlice[]): readonly VirtualServer[] {
  const { type = 'ClusterIP', clusterIP = '', ports = [], internalTrafficPolicy, externalTrafficPolicy } = service.spec
  if (type === 'ExternalName' || clusterIP === 'None' || clusterIP === '' || service.metadata.deletionTimestamp !== undefined) return []
  const external = [...new Set([...balancerAddresses(service), ...(service.spec.externalIPs ?? [])])].filter(isLoopback)
  const balanced = new Set(balancerAddresses(service))
  const weights = weightsOf(service)
  return ports.flatMap((port) => {
    const { protocol = 'TCP' } = port
    if (protocol !== 'TCP' && protocol !== 'UDP') return []
    const all = withWeights(endpointsOf(port, slices, false), weights)
    const behind = (isLocal: boolean): readonly Endpoint[] => (isLocal ? withWeights(endpointsOf(port, slices, true), weights) : all)
    const at = (kind: VirtualServerKind, address: string, number: number, isLocal: boolean): VirtualServer => ({
      id: `${protocol} ${address}:${number}`,
      protocol,
      address,
      port: number,
      kind,
      service: keyOfObject(service),
      scheduler: schedulerOf(service, weights),
      affinity: affinityOf(service, protocol, port.port),
      endpoints: behind(isLocal),
    })
    const fromOutside = externalTrafficPolicy === 'Local'
    return [
      ...(isLoopback(clusterIP) ? [at('ClusterIP', clusterIP, port.port, internalTrafficPolicy === 'Local')] : []),
      ...(port.nodePort ? [at('NodePort', NODE_ADDRESS, port.nodePort, fromOutside)] : []),
      ...external.map((address) => at(balanced.has(address) ? 'LoadBalancer' : 'ExternalIP', address, port.port, fromOutside)),
    ]
  })
}

/** Ready ones; if there are none, those that still serve while they terminate. Each address and port once. */
function endpointsOf({ name = '', protocol = 'TCP' }: ServicePort, slices: readonly EndpointSlice[], localOnly: boolean): readonly Endpoint[] {
  const candidates = slices.flatMap((slice) => {
    const port = (slice.ports ?? []).find((each) => (each.name ?? '') === name && (each.protocol ?? 'TCP') === protocol)?.port
    if (port === undefined || slice.metadata.deletionTimestamp !== undefined) return []
    return (slice.endpoints ?? []).filter((source) => !localOnly || isHere(source)).map((source) => ({ source, port }))
  })
  for (const usable of [isReady, isServing]) {
    const chosen = new Map<string, Endpoint>()
    for (const { source, port } of candidates) {
      const address = source.addresses[0] ?? ''
      if (!usable(source) || isIP(address) === 0) continue
      const id = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
      const { nodeName, zone, targetRef } = source
      const pod = targetRef?.kind === 'Pod' ? targetRef.name : undefined
      chosen.set(id, { id, address, port, weight: 1, ...(pod !== undefined && { podName: pod }), ...(nodeName !== undefined && { nodeName }), ...(zone !== undefined && { zone }) })
    }
    if (chosen.size > 0) return [...chosen.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  }
  return []
}

/** There is one node: whatever names no other one is on it. */
function isHere({ nodeName = NODE_NAME }: SliceEndpoint): boolean {
  return nodeName === NODE_NAME
}

function isReady({ conditions }: SliceEndpoint): boolean {
  return conditions.ready !== false
}

function isServing({ conditions }: SliceEndpoint): boolean {
  return conditions.serving === true && conditions.terminating === true
}

/** As the ingress reads them: what can't be read is reported there. */
function weightsOf({ metadata }: Service): readonly WeightRule[] | undefined {
  const text = metadata.annotations?.[WEIGHTS_ANNOTATION]
  const { rules } = text === undefined ? { rules: [] } : parseWeights(text)
  return rules.length > 0 ? rules : undefined
}

/** Weights alone ask for the scheduler that knows them. */
function schedulerOf({ metadata }: Service, weights: readonly WeightRule[] | undefined): Backend['scheduler'] {
  const named = metadata.annotations?.[SCHEDULER_ANNOTATION]?.trim().toLowerCase()
  return SCHEDULERS.find((each) => each === named) ?? (weights === undefined ? 'rr' : 'wrr')
}

/** One memory for all addresses of a Service port: who comes by NodePort and by ClusterIP is the same client. */
function affinityOf(service: Service, protocol: string, port: number): VirtualServer['affinity'] {
  if (service.spec.sessionAffinity !== 'ClientIP') return undefined
  const seconds = service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS
  return { key: `${keyOfObject(service)} ${protocol} ${port}`, timeoutMs: seconds * SECOND }
}

function balancerAddresses({ status }: Service): readonly string[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined || ip === '' ? [] : [ip]))
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.')
}
