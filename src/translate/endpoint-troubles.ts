// Why a backend has no endpoint, or not those that its Service names, and who is told: each Ingress and stream that leads there.
import type { Diagnostic, DiagnosticReason } from '../model/diagnostic.ts'
import type { ObjectRef } from '../model/object-ref.ts'
import type { Draft, Target } from './draft.ts'
import { quote } from './report.ts'

export interface EndpointTrouble {
  readonly severity: Diagnostic['severity']
  readonly reason: DiagnosticReason
  /** Without its full stop; what happens to requests is added where nothing can serve them. */
  readonly what: string
  readonly fix: string
}

export function noneReady({ namespace, service, port }: Target): EndpointTrouble {
  return {
    severity: 'warning',
    reason: 'NoReadyEndpoints',
    what: `Service ${namespace}/${service} has no ready endpoint for port ${port}`,
    fix: `Check its pods: kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${service}`,
  }
}

export function allDrained({ namespace, service, port }: Target): EndpointTrouble {
  return {
    severity: 'warning',
    reason: 'NoReadyEndpoints',
    what: `All endpoints of Service ${namespace}/${service} for port ${port} weigh 0, so they are drained`,
    fix: 'Give one of them a weight above 0 in the annotation with the weights.',
  }
}

export function noneLocal({ namespace, service, port }: Target, node: string | undefined): EndpointTrouble {
  const local = `Service ${namespace}/${service} wants requests from its own node only (internalTrafficPolicy Local)`
  const known = node !== undefined
  return {
    severity: 'error',
    reason: 'NoLocalEndpoints',
    what: known ? `${local}, and node ${quote(node)} has no endpoint of it for port ${port}` : `${local}, and Narthex does not know which node it runs on`,
    fix: `${known ? 'Run a pod of the Service on every node that Narthex runs on' : 'Start Narthex with --node-name'}, set internalTrafficPolicy to Cluster, or start Narthex with --ignore-traffic-policies.`,
  }
}

/** One for each Ingress and backend, however many of its paths lead there. */
export function reportTroubles(troubles: ReadonlyMap<string, EndpointTrouble>, draft: Draft): readonly Diagnostic[] {
  if (troubles.size === 0) return []
  const told = (id: string | undefined, object: ObjectRef, field: string, outcome: string): readonly Diagnostic[] => {
    const trouble = id === undefined ? undefined : troubles.get(id)
    return id === undefined || trouble === undefined ? [] : [diagnostic(trouble, isServed(draft, id), object, field, outcome)]
  }
  const fallback = draft.defaultBackend === undefined ? undefined : draft.backends.get(draft.defaultBackend)
  const ofController = fallback === undefined ? [] : told(fallback.id, { kind: 'Service', apiVersion: 'v1', namespace: fallback.namespace, name: fallback.service }, '--default-backend-service', ANSWERED)
  const ofIngresses = draft.ingresses.flatMap(({ object, references }) => {
    const seen = new Set<string>()
    return references.flatMap(({ key, field }) => {
      const id = draft.resolutions.get(key)?.backend
      if (id === undefined || seen.has(id)) return []
      seen.add(id)
      return told(id, object, field, ANSWERED)
    })
  })
  const ofStreams = [...draft.streams.values()].flatMap(({ backend, source }) => told(backend, source.object, source.field, 'connections for it are closed'))
  return [...ofController, ...ofIngresses, ...ofStreams]
}

const ANSWERED = 'requests for it are answered with 503'

function isServed(draft: Draft, id: string): boolean {
  return draft.backends.get(id)?.endpoints.some(({ weight }) => weight > 0) === true
}

function diagnostic({ severity, reason, what, fix }: EndpointTrouble, served: boolean, object: ObjectRef, field: string, outcome: string): Diagnostic {
  return { severity, reason, object, field, message: served ? `${what}.` : `${what}; ${outcome}.`, fix }
}
