// All kinds of the sandbox's API server.
import type { Kind } from '../kind.ts'
import { configMapKind } from './config-map.ts'
import { deploymentKind } from './deployment.ts'
import { endpointSliceKind } from './endpoint-slice.ts'
import { endpointsKind } from './endpoints.ts'
import { eventKind } from './event.ts'
import { ingressClassKind } from './ingress-class.ts'
import { ingressKind } from './ingress.ts'
import { leaseKind } from './lease.ts'
import { namespaceKind } from './namespace.ts'
import { nodeKind } from './node.ts'
import { createPodKind } from './pod.ts'
import { replicaSetKind } from './replica-set.ts'
import { secretKind } from './secret.ts'
import { serviceAccountKind } from './service-account.ts'
import { createServiceKind } from './service.ts'

export interface KindOptions {
  /** CIDR of the Services' virtual addresses. The default is loopback on Linux, so that they can be listened on. */
  readonly serviceRange?: string
  readonly nodePorts?: { readonly first: number; readonly last: number }
  /** 0 up to 1; picks addresses, ports and name suffixes. */
  readonly random?: () => number
}

export const SERVICE_RANGE = '127.96.0.0/16'
export const NODE_PORTS = { first: 30_000, last: 32_767 } as const

/** More mistakes than this in one object are not worth answering. */
const MOST_CAUSES = 100

function bounded(kind: Kind): Kind {
  return { ...kind, validate: (object, old, lookup) => kind.validate(object, old, lookup).slice(0, MOST_CAUSES) }
}

/** Throws when `serviceRange` is no IPv4 CIDR. */
export function createKinds(options: KindOptions = {}): readonly Kind[] {
  const { serviceRange = SERVICE_RANGE, nodePorts = NODE_PORTS, random = Math.random } = options
  const kinds = [
    configMapKind, endpointsKind, eventKind, namespaceKind, nodeKind, createPodKind(random), secretKind, serviceAccountKind,
    createServiceKind({ serviceRange, nodePorts, random }),
    deploymentKind, replicaSetKind, ingressClassKind, ingressKind, leaseKind, endpointSliceKind,
  ]
  return kinds.map(bounded)
}

export const KINDS: readonly Kind[] = createKinds()
