// Keeps web pages away from an API without passwords: a page of another origin, or one whose name was rebound to a loopback address.
import type { IncomingHttpHeaders } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { ApiError } from '../api-error.ts'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

export function isLoopback(address: string): boolean {
  const version = isIP(address)
  return address === 'localhost' || (version !== 0 && loopback.check(address, version === 4 ? 'ipv4' : 'ipv6'))
}

/** Throws ApiError 403. For servers that listen on a loopback address: their clients name them by address or as localhost. */
export function refuseForeign({ host = '', origin }: IncomingHttpHeaders): void {
  const name = hostName(`http://${host}`)
  if (name === undefined || !(isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost'))) throw foreign('host')
  // No Kubernetes client sends an origin; browsers send it with every request that could change something.
  if (origin !== undefined && !URL.canParse(origin)) throw foreign('origin')
  if (origin !== undefined && new URL(origin).host !== host) throw foreign('origin')
}

function hostName(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')
}

function foreign(what: string): ApiError {
  return new ApiError(403, 'Forbidden', `the ${what} of the request is not this server: use its address`, {})
}
