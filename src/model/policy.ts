// What a route asks of the exchange beyond forwarding. Absent: the route pays nothing for it.

export interface Policy {
  readonly tlsRedirect?: TlsRedirect
}

/** Plain HTTP is answered with a redirect to https. */
export interface TlsRedirect {
  readonly status: 301 | 302 | 307 | 308
}

/** Shared by all routes without a policy, so that equal stays identical. */
export const NO_POLICY: Policy = Object.freeze({})
