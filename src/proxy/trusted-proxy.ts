// What a trusted proxy says of the client it speaks for: X-Forwarded-For, -Host, -Port and -Proto, as ingress-nginx reads them
// with use-forwarded-headers. What is malformed is as if it had not been said.
import { canonicalAddress, type AddressList } from '../base/address-list.ts'
import { fieldValue, trimValue } from '../http/http1/field-lines.ts'
import { hostName } from '../http/http1/host.ts'
import type { RequestHead } from '../http/http1/request-head.ts'
import type { ClientSettings } from '../model/settings.ts'
import { originOf, type ConnectionOrigin, type Origin } from './origin.ts'

/** A longer chain of trusted addresses is not followed: nobody has so many proxies. */
const MOST_HOPS = 100

/** The origin of a request that came over the connection of a trusted proxy; sets the host that it was asked for. */
export function originThroughProxy(request: RequestHead, connection: ConnectionOrigin, settings: ClientSettings, trusted: AddressList): Origin {
  const chain = settings.forwardedForField === 'x-forwarded-for' ? request.forwardedFor : (claim(request, settings.forwardedForField) ?? '')
  const address = chain === '' ? connection.address : clientAddress(chain, connection.address, trusted)
  const secure = schemeIsSecure(request.forwardedProto) ?? connection.secure
  const port = portNumber(request.forwardedPort) ?? (secure === connection.secure ? connection.port : secure ? 443 : 80)
  const forwardedFor = settings.fullForwardedFor && request.forwardedFor !== '' ? `${request.forwardedFor}, ${connection.address}` : address
  setHost(request)
  return originOf(address, port, secure, forwardedFor)
}

/** The rightmost address that is no trusted proxy's; if all are, the leftmost. An entry that is no address ends the search. */
export function clientAddress(chain: string, peer: string, trusted: AddressList): string {
  let client = peer
  let end = chain.length
  for (let hops = 0; hops < MOST_HOPS; hops++) {
    const comma = end === 0 ? -1 : chain.lastIndexOf(',', end - 1)
    const entry = trimValue(chain, comma + 1, end)
    // RFC 9110 section 5.6.1: empty members of a list are to be ignored.
    if (entry !== '') {
      const address = canonicalAddress(withoutPort(entry))
      if (address === undefined) return client
      client = address
      if (!trusted.has(client)) return client
    }
    if (comma < 0) return client
    end = comma
  }
  return client
}

/** Some write `192.0.2.1:4711` and `[2001:db8::1]:4711`. */
function withoutPort(entry: string): string {
  return /^\[([^\]]+)\](?::\d{1,5})?$/.exec(entry)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(entry)?.[1] ?? entry
}

function claim(request: RequestHead, name: string): string | undefined {
  return name === 'x-real-ip' ? request.realIp : fieldValue(request.fields, name)
}

function schemeIsSecure(scheme: string): boolean | undefined {
  const lower = scheme.toLowerCase()
  if (lower === 'https') return true
  return lower === 'http' ? false : undefined
}

function portNumber(text: string): number | undefined {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0
  return port > 0 && port <= 65_535 ? port : undefined
}

/** Routes are matched on Host all the same, as in ingress-nginx: which policies hold is never the proxy's word. */
function setHost(request: RequestHead): void {
  const { forwardedHost } = request
  if (forwardedHost === '') return
  const comma = forwardedHost.indexOf(',')
  const host = comma < 0 ? forwardedHost : trimValue(forwardedHost, 0, comma)
  if (hostName(host) !== undefined) request.host = host
}
