// What a PROXY protocol header says (haproxy's proxy-protocol.txt, versions 1 and 2). Plain data.

export interface PeerAddress {
  /** IP literal; IPv6 as the sender wrote it (v1) or in full groups (v2). */
  readonly address: string
  readonly port: number
}

/** The connection that the sender took over for someone else. */
export interface Proxied {
  readonly source: PeerAddress
  readonly destination: PeerAddress
}

export type ProxyHeader =
  /** The bytes so far are the beginning of a header. */
  | { readonly kind: 'more' }
  /** They can't become one, however it goes on: the connection is to be closed without an answer. */
  | { readonly kind: 'invalid' }
  /**
   * `length` bytes are the header. `proxied` is undefined for LOCAL (a health check of the sender) and for UNKNOWN and
   * unspecified families: the connection's own addresses hold.
   */
  | { readonly kind: 'complete'; readonly length: number; readonly proxied: Proxied | undefined }
