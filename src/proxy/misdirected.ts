// Whether a request of HTTP/2 belongs on its connection. Browsers send requests for several hosts over one that was made for another,
// where its certificate covers them (RFC 9113 section 9.1.1): that must not be a way around what a host asks of its own connections.
import type { Handshake } from '../http/tls/peer-certificate.ts'
import type { Host } from '../model/routing.ts'
import { serverName, type Table } from '../table/table.ts'

/** `host`: that of `name`, the request's. A client that named no server, as one that asks for an address can't, is not held to one. */
export function isMisdirected(table: Table, handshake: Handshake | undefined, name: string, host: Host | undefined): boolean {
  if (handshake?.serverName === undefined || handshake.serverName === name) return false
  return handshake.terms !== host?.handshake?.id || !isSameList(serverName(table, handshake.serverName), serverName(table, name))
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((id, index) => id === b[index]))
}
