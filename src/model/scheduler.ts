// How a backend's requests are spread over its endpoints: names, options and keys. What they do is in balance/.

/** The names that `ipvsadm -s` uses, and two more. Weights are integers from 0 (drained) to 65535, as there. */
export const SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos', 'ewma', 'random'] as const

export type Scheduler = (typeof SCHEDULERS)[number]

export const LARGEST_WEIGHT = 65_535

/** The primes that the kernel's mh can be built with (CONFIG_IP_VS_MH_TAB_INDEX 8 to 17); its default is 4093. */
export const MAGLEV_SIZES: readonly number[] = [251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071]

export interface SchedulerOptions {
  /** sh-fallback, mh-fallback: another endpoint when the key's own may not be used. */
  readonly fallback?: boolean
  /** sh-port, mh-port: the client's port counts as well as its address. */
  readonly port?: boolean
  /** mh: one of MAGLEV_SIZES. */
  readonly tableSize?: number
  /** mh: the key picks a group of this many endpoints, chance one of the group. */
  readonly subsetSize?: number
  /** lblc, lblcr: milliseconds after which an unused entry is forgotten and a set of replicas shrinks by one. */
  readonly expiration?: number
}

/** A part of the text that is hashed to find an endpoint. `uri`: path and query as the client wrote them; `path`: normalised. */
export type HashPart =
  | { readonly kind: 'host' | 'uri' | 'path' | 'query' | 'source' }
  /** Lower-case name. */
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'cookie' | 'argument'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string }

/** What a scheduler hashes: what the request asks for, where it comes from, or nothing. */
export function keyedBy(name: Scheduler): 'destination' | 'source' | undefined {
  if (name === 'dh' || name === 'lblc' || name === 'lblcr') return 'destination'
  return name === 'sh' || name === 'mh' ? 'source' : undefined
}

const COUNTING: ReadonlySet<Scheduler> = new Set(['lc', 'wlc', 'lblc', 'lblcr', 'sed', 'nq', 'ovf', 'twos', 'ewma'])

/** Whether it counts or measures the requests of each endpoint, in memory that all threads share. */
export function isCounting(name: Scheduler): boolean {
  return COUNTING.has(name)
}
