// What a filter is, and the list of those that exist in the order they are asked. A route without a policy has no filters at all.
import type { Policy } from '../../model/policy.ts'
import type { ProxySettings } from '../../model/settings.ts'
import type { RequestHead } from '../../http/http1/request-head.ts'
import type { Answer } from '../answer.ts'
import type { Origin } from '../origin.ts'
import { tlsRedirect } from './tls-redirect.ts'

export interface FilteredRequest {
  readonly request: RequestHead
  /** Normalised. */
  readonly path: string
  readonly origin: Origin
}

/** Answers in place of the backend, or lets the request go on. */
export type Filter = (exchange: FilteredRequest) => Answer | undefined

/** Undefined when the policy does not ask for it. Called once a route, so that what can be decided early is. */
export type FilterFactory = (policy: Policy, settings: ProxySettings) => Filter | undefined

const FILTERS: readonly FilterFactory[] = [tlsRedirect]

export const NO_FILTERS: readonly Filter[] = []

export function compileFilters(policy: Policy, settings: ProxySettings): readonly Filter[] {
  const filters: Filter[] = []
  for (const factory of FILTERS) {
    const filter = factory(policy, settings)
    if (filter !== undefined) filters.push(filter)
  }
  return filters.length === 0 ? NO_FILTERS : filters
}
