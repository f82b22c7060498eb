// What the connections and exchanges of a thread need of the settings, worked out once.
import { addressList, type AddressList } from '../base/address-list.ts'
import type { Route } from '../model/routing.ts'
import type { ClientSettings, ProxySettings } from '../model/settings.ts'
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
    serverField: serverName === '' ? '' : `Server: ${serverName}\r\n`,
    hstsField: hsts === '' ? '' : `Strict-Transport-Security: ${hsts}\r\n`,
  }
}

/** The fields that are taken away from all requests need no further care. */
function claimFields({ trustedProxies, forwardedForField }: ClientSettings): ReadonlySet<string> | undefined {
  const taken = forwardedForField === 'x-forwarded-for' || forwardedForField === 'x-real-ip'
  return trustedProxies.length === 0 || taken ? undefined : new Set([forwardedForField])
}
