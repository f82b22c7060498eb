// How endpoints are spread over EndpointSlices with the fewest writes. Pure.
import { equalJson } from '../api-server/json-value.ts'
import { endpointIdentity, endpointsIn, type EndpointGroup } from './service-endpoints.ts'
import type { EndpointSlice, SliceEndpoint, SlicePort } from './object-shapes.ts'

export const MOST_ENDPOINTS_PER_SLICE = 100

/** What one slice should hold; `slice` is the stored one, undefined for a new one. */
export interface SlicePlan {
  readonly slice: EndpointSlice | undefined
  readonly ports: readonly SlicePort[]
  readonly endpoints: readonly SliceEndpoint[]
}

export interface Packing {
  readonly write: readonly SlicePlan[]
  readonly remove: readonly EndpointSlice[]
}

interface Draft {
  readonly slice: EndpointSlice | undefined
  readonly ports: readonly SlicePort[]
  readonly endpoints: SliceEndpoint[]
}

/** Without any endpoint one empty slice stays, so that the Service is known to have none. */
export function packSlices(existing: readonly EndpointSlice[], groups: readonly EndpointGroup[]): Packing {
  const drafts: Draft[] = []
  const free: EndpointSlice[] = []
  const taken = new Set<EndpointSlice>()
  for (const group of groups) {
    const wanted = new Map(group.endpoints.map((endpoint) => [endpointIdentity(endpoint), endpoint]))
    const own: Draft[] = []
    for (const slice of existing) {
      if (taken.has(slice) || !equalJson([...(slice.ports ?? [])], [...group.ports])) continue
      const kept: SliceEndpoint[] = []
      for (const endpoint of endpointsIn(slice)) {
        const next = wanted.get(endpointIdentity(endpoint))
        if (next) kept.push(next)
        wanted.delete(endpointIdentity(endpoint))
      }
      taken.add(slice)
      own.push({ slice, ports: group.ports, endpoints: kept })
    }
    place([...wanted.values()], own, group)
    drafts.push(...own)
  }
  for (const slice of existing) if (!taken.has(slice)) free.push(slice)
  const filled = drafts.filter((draft) => draft.endpoints.length > 0)
  for (const draft of drafts) if (draft.endpoints.length === 0 && draft.slice) free.push(draft.slice)
  if (filled.length === 0) filled.push({ slice: free.shift(), ports: [], endpoints: [] })
  // A slice that would be deleted takes the place of one that would be made.
  const plans = filled.map((draft) => (draft.slice ? draft : { ...draft, slice: free.shift() }))
  return { write: plans.filter(isChanged), remove: free }
}

function place(endpoints: readonly SliceEndpoint[], drafts: Draft[], group: EndpointGroup): void {
  if (endpoints.length === 0) return
  // Slices that change anyway first, then the fullest, so that the others stay unwritten.
  const order = drafts.toSorted((a, b) => Number(isChanged(b)) - Number(isChanged(a)) || b.endpoints.length - a.endpoints.length)
  for (const endpoint of endpoints) {
    let draft = order.find((candidate) => candidate.endpoints.length < MOST_ENDPOINTS_PER_SLICE)
    if (!draft) {
      draft = { slice: undefined, ports: group.ports, endpoints: [] }
      order.push(draft)
      drafts.push(draft)
    }
    draft.endpoints.push(endpoint)
  }
}

function isChanged({ slice, ports, endpoints }: SlicePlan): boolean {
  return !slice || !equalJson([...endpointsIn(slice)], [...endpoints]) || !equalJson([...(slice.ports ?? [])], [...ports])
}
