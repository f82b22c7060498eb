// A TLS connection that is not ended here: what whoever takes it over is told. Neither the proxy, which reads the ClientHello, nor the
// layer 4 side, which splices, knows the other: the thread hands one to the other.
import type { Socket } from 'node:net'
import type { Passthrough } from '../../model/routing.ts'
import type { Proxied } from '../proxy-protocol/header.ts'

export interface PassedConnection {
  /** Paused, and read from by nobody; half-open is allowed. */
  readonly socket: Socket
  /** Name of the Host that the connection is for. */
  readonly host: string
  readonly target: Passthrough
  /** All that was read of it: the ClientHello. */
  readonly early: Buffer
  /** What a PROXY protocol header said of the client. */
  readonly proxied: Proxied | undefined
}

export type PassOn = (connection: PassedConnection) => void
