// Step 4: the endpoints of each Service port in use, from its EndpointSlices. A change of one slice replaces one backend.
import { reuse } from '../base/reuse.ts'
import type { EndpointSlice } from '../kube/objects.ts'
import type { Backend } from '../model/routing.ts'
import { schedulerFields, withWeights } from './balancing.ts'
import { chooseEndpoints, endpointOf } from './choose-endpoints.ts'
import type { Draft, Target, View } from './draft.ts'
import { reportTroubles, troubleOf, type EndpointTrouble } from './endpoint-troubles.ts'
import { remember, sameMap } from './memory.ts'
import type { TranslateOptions } from './options.ts'

const NO_SLICES: readonly EndpointSlice[] = Object.freeze([])

/** A backend, and what its users should know of its endpoints. */
export interface BackendOutcome {
  readonly backend: Backend
  readonly trouble: EndpointTrouble | undefined
}

export function endpoints(view: View, draft: Draft): void {
  const { slicesByService } = view.state
  const { options, memo } = view
  const { backends, troubles } = remember(memo.endpoints, [draft.targets, slicesByService, options], (before) => {
    const { endpointInputs: kept } = memo
    const backends = new Map<string, Backend>()
    const troubles = new Map<string, EndpointTrouble>()
    for (const target of draft.targets.values()) {
      const slices = slicesByService.get(target.serviceKey) ?? NO_SLICES
      const last = kept.get(target.id)
      const isSame = last !== undefined && last.target === target && last.slices === slices && last.options === options
      const outcome = isSame ? last.outcome : reuse(last?.outcome, outcomeOf(target, slices, options))
      if (!isSame) kept.set(target.id, { target, slices, options, outcome })
      backends.set(target.id, outcome.backend)
      if (outcome.trouble !== undefined) troubles.set(target.id, outcome.trouble)
    }
    if (kept.size > backends.size) for (const id of kept.keys()) if (!backends.has(id)) kept.delete(id)
    return { backends: sameMap(before?.backends, backends), troubles: sameMap(before?.troubles, troubles) }
  })
  draft.backends = backends
  draft.diagnostics.push(remember(memo.endpointTroubles, [troubles, backends, draft.ingresses, draft.resolutions, draft.defaultBackend, draft.streams], () => reportTroubles(troubles, draft)))
}

function outcomeOf(target: Target, slices: readonly EndpointSlice[], options: TranslateOptions): BackendOutcome {
  const { external, balancing, portName, protocol = 'TCP', policy } = target
  const { endpoints: chosen, onlyElsewhere } = external === undefined ? chooseEndpoints(slices, { portName, protocol, policy }, options) : { endpoints: [endpointOf(external.name, external.port)], onlyElsewhere: false }
  const endpoints = withWeights(chosen, balancing.weights)
  const backend = {
    id: target.id,
    namespace: target.namespace,
    service: target.service,
    port: String(target.port),
    ...schedulerFields(balancing, options.scheduler),
    endpoints,
  }
  return { backend, trouble: troubleOf(target, endpoints, onlyElsewhere, options.place.node) }
}
