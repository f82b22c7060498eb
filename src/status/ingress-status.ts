// Keeps status.loadBalancer.ingress of our Ingresses as it should be: compares before it writes, and never takes an address
// away on shutdown, since that would take DNS records with it.
import type { ClusterState } from '../kube/cluster-state.ts'
import type { Connection } from '../kube/connection.ts'
import { keyOf, type Ingress, type ObjectKey, type PublishedAddress } from '../kube/objects.ts'
import { patchIngressStatus } from '../kube/writes.ts'
import type { ObjectRef } from '../model/object-ref.ts'
import { publishedAddresses, sameAddresses, type AddressSource } from './published-addresses.ts'
import type { WriteQueue } from './write-queue.ts'

interface Written {
  /** The Ingress as it was when we wrote: until it changes, our write is on its way back to us. */
  readonly ingress: Ingress
  readonly addresses: readonly PublishedAddress[]
}

export interface IngressStatus {
  update(state: ClusterState, accepted: readonly ObjectRef[]): void
}

export function createIngressStatus(connection: Connection, source: AddressSource, queue: WriteQueue): IngressStatus {
  const written = new Map<ObjectKey, Written>()
  /** The newest state: a write that waited long must not bring old addresses. */
  let latest: ClusterState | undefined
  let refs: readonly ObjectRef[] | undefined

  function needsWrite(ingress: Ingress, addresses: readonly PublishedAddress[]): boolean {
    if (ingress.meta.deleting || sameAddresses(ingress.addresses, addresses)) return false
    const last = written.get(keyOf(ingress.meta))
    return last === undefined || last.ingress !== ingress || !sameAddresses(last.addresses, addresses)
  }

  return {
    update(state, accepted) {
      if (latest?.ingresses === state.ingresses && latest.services === state.services && refs === accepted) return
      latest = state
      refs = accepted
      const addresses = publishedAddresses(source, state)
      if (addresses === undefined) return
      for (const key of written.keys()) if (!state.ingresses.has(key)) written.delete(key)
      for (const ref of accepted) {
        const key = keyOf(ref)
        const ingress = state.ingresses.get(key)
        if (ingress === undefined || !needsWrite(ingress, addresses)) continue
        queue.put(key, async (signal) => {
          const now = latest?.ingresses.get(key)
          const wanted = latest === undefined ? undefined : publishedAddresses(source, latest)
          if (now === undefined || wanted === undefined || !needsWrite(now, wanted)) return
          await patchIngressStatus(connection, ref, wanted, signal)
          written.set(key, { ingress: now, addresses: wanted })
        })
      }
    },
  }
}
