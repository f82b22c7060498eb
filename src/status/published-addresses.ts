// Under which addresses the Ingresses can be reached, as their status says it. Pure.
import { isIP } from 'node:net'
import type { ClusterState } from '../kube/cluster-state.ts'
import type { ObjectKey, PublishedAddress, Service } from '../kube/objects.ts'

/** Where the addresses come from; undefined: the status is left alone. */
export type AddressSource = { readonly addresses: readonly string[] } | { readonly service: ObjectKey } | undefined

/** Sorted and without duplicates; undefined: not known, so nothing is to be written. */
export function publishedAddresses(source: AddressSource, state: ClusterState): readonly PublishedAddress[] | undefined {
  if (source === undefined) return undefined
  if ('addresses' in source) return sorted(source.addresses.map(addressOf))
  const service = state.services.get(source.service)
  // A Service that is not there (yet) says nothing; addresses that are published stay.
  return service === undefined ? undefined : sorted(addressesOf(service))
}

/** As ingress-nginx reads the Service that it is published by. */
function addressesOf(service: Service): readonly PublishedAddress[] {
  const external = service.externalIPs.map(addressOf)
  const own = service.clusterIPs.filter((ip) => isIP(ip) !== 0).map(addressOf)
  switch (service.type) {
    case 'ExternalName':
      return service.externalName === '' ? [] : [{ hostname: service.externalName }]
    case 'LoadBalancer':
      return [...service.addresses, ...external]
    case 'NodePort':
      return external.length > 0 ? external : own
    default:
      return own
  }
}

function addressOf(text: string): PublishedAddress {
  return isIP(text) === 0 ? { hostname: text } : { ip: text }
}

function sorted(addresses: readonly PublishedAddress[]): readonly PublishedAddress[] {
  const byText = new Map(addresses.map((address) => [addressKey(address), address]))
  return [...byText.keys()].sort().flatMap((key) => byText.get(key) ?? [])
}

export function sameAddresses(a: readonly PublishedAddress[], b: readonly PublishedAddress[]): boolean {
  const [one, other] = [sorted(a), sorted(b)]
  return one.length === other.length && one.every((address, index) => addressKey(address) === addressKey(other[index] ?? {}))
}

function addressKey({ ip = '', hostname = '' }: PublishedAddress): string {
  return `${ip} ${hostname}`
}
