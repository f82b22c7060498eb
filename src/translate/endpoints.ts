// Step 4: the endpoints of each Service port in use, from its EndpointSlices or the addresses of its external name. A change of one
// slice or name replaces one backend.
import { isIP } from 'node:net'
import { reuse } from '../base/reuse.ts'
import type { EndpointSlice } from '../kube/objects.ts'
import type { ResolvedName } from '../model/resolved-name.ts'
import type { Backend } from '../model/routing.ts'
import { withWeights } from '../model/weights.ts'
import { schedulerFields } from './balancing.ts'
import { chooseEndpoints, endpointOf } from './choose-endpoints.ts'
import type { Draft, ExternalTarget, Target, TranslateMemo, View } from './draft.ts'
import { allDrained, noneLocal, noneReady, reportTroubles, type EndpointTrouble } from './endpoint-troubles.ts'
import { externalEndpoints, type ExternalEndpoints } from './external-endpoints.ts'
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
  const { options, memo, names } = view
  const { backends, troubles } = remember(memo.endpoints, [draft.targets, slicesByService, options, names], (before) => {
    const { endpointInputs: kept } = memo
    const backends = new Map<string, Backend>()
    const troubles = new Map<string, EndpointTrouble>()
    for (const target of draft.targets.values()) {
      const slices = slicesByService.get(target.serviceKey) ?? NO_SLICES
      const resolved = target.external === undefined ? undefined : names.get(target.external.name)
      const last = kept.get(target.id)
      const isSame = last !== undefined && last.target === target && last.slices === slices && last.resolved === resolved && last.options === options
      const outcome = isSame ? last.outcome : reuse(last?.outcome, outcomeOf(target, slices, resolved, options, last?.outcome))
      if (!isSame) kept.set(target.id, { target, slices, resolved, options, outcome })
      backends.set(target.id, outcome.backend)
      if (outcome.trouble !== undefined) troubles.set(target.id, outcome.trouble)
    }
    if (kept.size > backends.size) for (const id of kept.keys()) if (!backends.has(id)) kept.delete(id)
    return { backends: sameMap(before?.backends, backends), troubles: sameMap(before?.troubles, troubles) }
  })
  draft.backends = backends
  draft.diagnostics.push(remember(memo.endpointTroubles, [troubles, backends, draft.ingresses, draft.resolutions, draft.defaultBackend, draft.streams], () => reportTroubles(troubles, draft)))
}

/** DNS names of the targets: what has to be resolved. */
export function externalNames(memo: TranslateMemo, targets: Draft['targets']): ReadonlySet<string> {
  return remember(memo.externalNames, [targets], (before) => {
    const names = [...targets.values()].flatMap(({ external }) => (external === undefined || isIP(external.name) !== 0 ? [] : [external.name]))
    const after = new Set(names.sort())
    return before !== undefined && before.size === after.size && after.isSubsetOf(before) ? before : after
  })
}

function outcomeOf(target: Target, slices: readonly EndpointSlice[], resolved: ResolvedName | undefined, options: TranslateOptions, before: BackendOutcome | undefined): BackendOutcome {
  const { external, balancing } = target
  const { endpoints: chosen, trouble } = external === undefined ? ofSlices(target, slices, options) : ofName(target, external, resolved, options, before)
  const endpoints = withWeights(chosen, balancing.weights)
  const backend = {
    id: target.id,
    namespace: target.namespace,
    service: target.service,
    port: String(target.port),
    ...schedulerFields(balancing, options.scheduler),
    endpoints,
    ...(balancing.probe !== undefined && { probe: balancing.probe }),
    ...(target.speaks !== undefined && { protocol: target.speaks }),
    ...(target.affinitySeconds !== undefined && { affinitySeconds: target.affinitySeconds }),
    ...(target.serviceUid !== '' && { serviceUid: target.serviceUid }),
    ...(external !== undefined && isIP(external.name) === 0 && { externalName: external.name }),
  }
  const isDrained = chosen.length > 0 && endpoints.every(({ weight }) => weight === 0)
  return { backend, trouble: isDrained ? allDrained(target) : trouble }
}

/** While a new name is asked for, which is given up after seconds, what the Service had before is served: a change of names costs no request. */
function ofName(target: Target, external: ExternalTarget, resolved: ResolvedName | undefined, { allowLoopback }: TranslateOptions, before: BackendOutcome | undefined): ExternalEndpoints {
  if (resolved === undefined && isIP(external.name) === 0 && before !== undefined) return { endpoints: before.backend.endpoints, trouble: before.trouble }
  return externalEndpoints(target, external, resolved, allowLoopback)
}

function ofSlices(target: Target, slices: readonly EndpointSlice[], options: TranslateOptions): ExternalEndpoints {
  const { portName, protocol = 'TCP', policy, clusterIP } = target
  if (clusterIP !== undefined) return { endpoints: [endpointOf(clusterIP, target.port)], trouble: undefined }
  const { endpoints, onlyElsewhere } = chooseEndpoints(slices, { portName, protocol, policy }, options)
  if (endpoints.length > 0) return { endpoints, trouble: undefined }
  return { endpoints, trouble: onlyElsewhere ? noneLocal(target, options.place.node) : noneReady(target) }
}
