// The writes that Narthex makes beside its Lease, and no others: an Ingress' published addresses, and Events. Each rejects with ApiFailure or a network error.
import { readJson } from './api-failure.ts'
import type { Connection } from './connection.ts'
import type { PublishedAddress } from './objects.ts'
import type { ObjectRef } from '../model/object-ref.ts'

const MERGE_PATCH = 'application/merge-patch+json'

/** status.loadBalancer.ingress, through the status subresource. */
export async function patchIngressStatus(connection: Connection, ref: ObjectRef, addresses: readonly PublishedAddress[], signal: AbortSignal): Promise<void> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${segment(ref.namespace)}/ingresses/${segment(ref.name)}/status`
  await readJson(await connection.request({ method: 'PATCH', path, contentType: MERGE_PATCH, body: { status: { loadBalancer: { ingress: addresses } } }, signal }))
}

/** What an Event says. */
export interface EventText {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export interface EventRecord extends EventText {
  readonly name: string
  readonly object: ObjectRef
  /** Milliseconds since the epoch. */
  readonly first: number
  readonly last: number
  readonly count: number
}

const COMPONENT = 'narthex'

export async function createEvent(connection: Connection, event: EventRecord, instance: string, signal: AbortSignal): Promise<void> {
  const namespace = eventNamespace(event.object)
  const { kind, apiVersion, namespace: objectNamespace, name, uid } = event.object
  const body = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: event.name, namespace },
    involvedObject: { kind, apiVersion, name, ...(objectNamespace !== '' && { namespace: objectNamespace }), ...(uid !== undefined && uid !== '' && { uid }) },
    type: event.type,
    reason: event.reason,
    message: event.message,
    source: { component: COMPONENT },
    reportingComponent: COMPONENT,
    reportingInstance: instance,
    firstTimestamp: seconds(event.first),
    lastTimestamp: seconds(event.last),
    count: event.count,
  }
  await readJson(await connection.request({ method: 'POST', path: `/api/v1/namespaces/${segment(namespace)}/events`, body, signal }))
}

/** The same event once more. */
export async function repeatEvent(connection: Connection, event: EventRecord, signal: AbortSignal): Promise<void> {
  const path = `/api/v1/namespaces/${segment(eventNamespace(event.object))}/events/${segment(event.name)}`
  await readJson(await connection.request({ method: 'PATCH', path, contentType: MERGE_PATCH, body: { count: event.count, lastTimestamp: seconds(event.last) }, signal }))
}

/** Events of cluster-scoped objects are kept in `default`, as the API server wants them. */
function eventNamespace(object: ObjectRef): string {
  return object.namespace === '' ? 'default' : object.namespace
}

/** metav1.Time has no fraction. */
function seconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

function segment(text: string): string {
  return encodeURIComponent(text)
}
