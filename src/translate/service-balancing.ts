// The balancing that a Service asks for itself, and what comes of it together with what an Ingress asks for.
import type { Service } from '../kube/objects.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { ObjectRef } from '../model/object-ref.ts'
import type { Scheduler } from '../model/scheduler.ts'
import { readServiceBalancing } from './annotations/read-balancing.ts'
import { balancingKey, NO_BALANCING, restOf, schedulerFields, type Balancing } from './balancing.ts'

interface Reading {
  readonly balancing: Balancing
  readonly diagnostics: readonly Diagnostic[]
}

const NONE: Reading = Object.freeze({ balancing: NO_BALANCING, diagnostics: [] })

/** By the annotations, which stay the same object while they say the same. */
const known = new WeakMap<object, Reading>()

function reading({ meta: { annotations, namespace, name, uid } }: Service): Reading {
  const held = known.get(annotations)
  if (held !== undefined) return held
  const object: ObjectRef = { kind: 'Service', apiVersion: 'v1', namespace, name, ...(uid !== '' && { uid }) }
  const made = Object.keys(annotations).length === 0 ? NONE : readServiceBalancing(annotations, object)
  known.set(annotations, made)
  return made
}

/** What is wrong with the annotations of these Services. */
export function balancingDiagnostics(services: Iterable<Service>): readonly Diagnostic[] {
  return [...services].flatMap((service) => reading(service).diagnostics)
}

/**
 * What holds for the requests of an Ingress, and what its backend's id has behind that of the Service port: nothing,
 * unless the Ingress asks for something else. Ingresses that ask for the same share a backend.
 */
export function effectiveBalancing(service: Service, asked: Balancing, fallback: Scheduler): { readonly balancing: Balancing; readonly suffix: string } {
  const { balancing } = reading(service)
  if (asked === NO_BALANCING) return { balancing, suffix: '' }
  const rest = restOf(asked, balancing)
  const together = { ...balancing, ...rest }
  const isSame = comesTo(together, fallback) === comesTo(balancing, fallback)
  return isSame ? { balancing, suffix: '' } : { balancing: together, suffix: balancingKey(rest) }
}

function comesTo(balancing: Balancing, fallback: Scheduler): string {
  return JSON.stringify([schedulerFields(balancing, fallback), balancing.weights, balancing.probe, balancing.clusterIP])
}
