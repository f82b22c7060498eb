// What is known of the revocation of certificates: OCSP responses to show to clients, and why there is none.

/** An OCSP response that was checked. */
export interface Staple {
  /** DER. */
  readonly response: Uint8Array
  /** Milliseconds since the epoch; afterwards it is not shown. */
  readonly until: number
}

export interface StapleState {
  readonly staple: Staple | undefined
  /** What keeps it from being there or from being renewed. */
  readonly trouble: StapleTrouble | undefined
}

/** `at`: milliseconds since the epoch. `reason`: a short clause. */
export type StapleTrouble = { readonly kind: 'revoked'; readonly at: number } | { readonly kind: 'failed'; readonly reason: string }

/** By Certificate.fingerprint; without an entry: not asked yet. */
export type Staples = ReadonlyMap<string, StapleState>

export const NO_STAPLES: Staples = new Map()
