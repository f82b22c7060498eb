// The endpoints of an ExternalName Service: the addresses that DNS has for the name, without those that no backend may have.
import { isIP } from 'node:net'
import type { Endpoint } from '../model/routing.ts'
import type { NameTrouble, ResolvedName } from '../model/resolved-name.ts'
import { byAddress, endpointOf } from './choose-endpoints.ts'
import type { ExternalTarget, Target } from './draft.ts'
import type { EndpointTrouble } from './endpoint-troubles.ts'
import { isSpecialAddress } from './external-name.ts'
import { quote } from './report.ts'

export interface ExternalEndpoints {
  readonly endpoints: readonly Endpoint[]
  readonly trouble: EndpointTrouble | undefined
}

/** IPv4 before IPv6, as with slices. `resolved` undefined: DNS has not answered yet. */
export function externalEndpoints(target: Target, { name, port }: ExternalTarget, resolved: ResolvedName | undefined, allowLoopback: boolean): ExternalEndpoints {
  if (isIP(name) !== 0) return { endpoints: [endpointOf(name, port)], trouble: undefined }
  const { addresses, trouble } = resolved ?? { addresses: [], trouble: undefined }
  const usable = addresses.filter((address) => allowLoopback || !isSpecialAddress(address))
  const ipv4 = usable.filter((address) => isIP(address) === 4)
  const endpoints = (ipv4.length > 0 ? ipv4 : usable).map((address) => endpointOf(address, port)).sort(byAddress)
  const refused = addresses.find((address) => !usable.includes(address))
  return { endpoints, trouble: refused === undefined ? troubleOf(target, name, trouble, endpoints.length > 0) : refusedAddress(target, name, refused, endpoints.length > 0) }
}

function refusedAddress(target: Target, name: string, address: string, othersAreLeft: boolean): EndpointTrouble {
  return {
    severity: othersAreLeft ? 'warning' : 'error',
    reason: 'ExternalNameInvalid',
    what: `${nameOf(target, name)} resolves to ${address}, a loopback, link-local or multicast address${othersAreLeft ? ', which is left out' : ''}`,
    fix: 'Set spec.externalName of the Service to a name whose addresses are outside this machine, or correct its DNS records.',
  }
}

function troubleOf(target: Target, name: string, trouble: NameTrouble | undefined, isServed: boolean): EndpointTrouble | undefined {
  const subject = nameOf(target, name)
  const unresolved = { severity: isServed ? 'warning' : 'error', reason: 'ExternalNameUnresolved' } as const
  switch (trouble?.kind) {
    case undefined:
      return undefined
    case 'absent':
      return { ...unresolved, what: `${subject} has no address in DNS`, fix: 'Correct spec.externalName of the Service, or add the DNS records.' }
    case 'unanswered':
      return {
        ...unresolved,
        what: `${subject} can't be resolved, since DNS does not answer (${trouble.detail})${isServed ? '; its addresses of before are used for a while' : ''}`,
        fix: 'Check the DNS server: that of --dns-server, else of /etc/resolv.conf.',
      }
    case 'too-many':
      return { ...unresolved, what: `${subject} is not resolved, since there are more than ${trouble.most} external names`, fix: 'Remove Services of type ExternalName that are not needed.' }
  }
}

function nameOf({ namespace, service }: Target, name: string): string {
  return `The external name ${quote(name)} of Service ${namespace}/${service}`
}
