// What the connections and exchanges of a thread need of the settings, worked out once.
import { addressList, type AddressList } from '../base/address-list.ts'
import type { Route } from '../model/routing.ts'
import type { RouteTimeouts } from '../model/policy.ts'
import type { ClientSettings, ProxySettings, Timeouts } from '../model/settings.ts'
import type { Filter } from './filters/filter.ts'
import { filterCache } from './routing.ts'

export interface SettingsContext {
  readonly settings: ProxySettings
  /** Whose X-Forwarded fields are believed. */
  readonly trustedProxies: AddressList
  /** Names of fields that only they may send and that no other rule takes away; undefined: there are none. */
  readonly claimFields: ReadonlySet<string> | undefined
  /** Who may send PROXY protocol headers. */
  readonly headerSenders: AddressList
  readonly filtersOf: (route: Route) => readonly Filter[]
  /** The settings', with those of a route in their place. */
  readonly timeoutsOf: (own: RouteTimeouts) => Timeouts
  /** `Server: …\r\n`, or empty. */
  readonly serverField: string
  /** `Strict-Transport-Security: …\r\n`, or empty. For TLS connections. */
  readonly hstsField: string
}

export function settingsContext(settings: ProxySettings): SettingsContext {
  const { client, serverName, hsts } = settings
  return {
    settings,
    trustedProxies: addressList(client.trustedProxies),
    claimFields: claimFields(client),
    headerSenders: addressList(client.proxyProtocol?.senders ?? []),
    filtersOf: filterCache(settings),
    timeoutsOf: timeoutsCache(settings.timeouts),
    serverField: serverName === '' ? '' : `Server: ${serverName}\r\n`,
    hstsField: hsts === '' ? '' : `Strict-Transport-Security: ${hsts}\r\n`,
  }
}

function timeoutsCache(timeouts: Timeouts): SettingsContext['timeoutsOf'] {
  const known = new WeakMap<RouteTimeouts, Timeouts>()
  return (own) => {
    let merged = known.get(own)
    if (merged === undefined) known.set(own, (merged = withOwn(timeouts, own)))
    return merged
  }
}

/** Streams and tunnels are silent for as long as one side is, so who may be: the client no less than the endpoint. */
function withOwn(timeouts: Timeouts, own: RouteTimeouts): Timeouts {
  const { read = 0, send = 0 } = own
  return { ...timeouts, ...own, tunnel: own.read ?? timeouts.tunnel, requestBody: Math.max(timeouts.requestBody, read, send) }
}

/** The fields that are taken away from all requests need no further care. */
function claimFields({ trustedProxies, forwardedForField }: ClientSettings): ReadonlySet<string> | undefined {
  const taken = forwardedForField === 'x-forwarded-for' || forwardedForField === 'x-real-ip'
  return trustedProxies.length === 0 || taken ? undefined : new Set([forwardedForField])
}
