// Writes the line that a backend with PROXY protocol reads first: version 1, which every receiver knows.
import { isIPv4, isIPv6 } from 'node:net'
import type { Proxied } from './header.ts'

/** With its CRLF. Without addresses, or with two families in them, the line says UNKNOWN, as the specification asks. */
export function proxyHeaderV1(proxied: Proxied | undefined): string {
  if (proxied === undefined) return 'PROXY UNKNOWN\r\n'
  const source = plainAddress(proxied.source.address)
  const destination = plainAddress(proxied.destination.address)
  const family = isIPv4(source) && isIPv4(destination) ? 'TCP4' : isIPv6(source) && isIPv6(destination) ? 'TCP6' : undefined
  return family === undefined ? 'PROXY UNKNOWN\r\n' : `PROXY ${family} ${source} ${destination} ${proxied.source.port} ${proxied.destination.port}\r\n`
}

/** What a dual-stack socket reports, as the address that was meant: `::ffff:192.0.2.1` is 192.0.2.1, zones go. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return mapped ?? address.split('%', 1)[0] ?? address
}
