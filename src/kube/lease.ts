// The Lease by which replicas agree on a leader: read, made and changed, each change only to what was read. Knows no election.
import { ApiFailure, readJson } from './api-failure.ts'
import type { Connection } from './connection.ts'
import { record, text } from './raw.ts'

export interface Lease {
  readonly resourceVersion: string
  /** Empty: nobody. */
  readonly holder: string
  readonly seconds: number
  readonly transitions: number
  readonly acquireTime: string
  /** Changes with each renewal. */
  readonly renewTime: string
}

export interface LeaseName {
  readonly namespace: string
  readonly name: string
}

const collection = (namespace: string): string => `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`

/** undefined: there is none. Rejects with ApiFailure or a network error, as do the others. */
export async function readLease(connection: Connection, { namespace, name }: LeaseName, signal: AbortSignal): Promise<Lease | undefined> {
  try {
    return leaseOf(await readJson(await connection.request({ method: 'GET', path: `${collection(namespace)}/${encodeURIComponent(name)}`, signal })))
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 404) return undefined
    throw error
  }
}

export async function createLease(connection: Connection, { namespace, name }: LeaseName, spec: LeaseSpec, signal: AbortSignal): Promise<Lease> {
  const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name }, spec }
  return leaseOf(await readJson(await connection.request({ method: 'POST', path: collection(namespace), body, signal })))
}

/** Rejects with status 409 when it is no longer the one that was read. */
export async function changeLease(connection: Connection, { namespace, name }: LeaseName, read: Lease, spec: LeaseSpec, signal: AbortSignal): Promise<Lease> {
  const body = { metadata: { resourceVersion: read.resourceVersion }, spec }
  return leaseOf(await readJson(await connection.request({ method: 'PATCH', path: `${collection(namespace)}/${encodeURIComponent(name)}`, contentType: 'application/merge-patch+json', body, signal })))
}

/** As the API server has it; times with microseconds. */
export interface LeaseSpec {
  readonly holderIdentity: string
  readonly leaseDurationSeconds: number
  readonly leaseTransitions: number
  readonly acquireTime: string
  readonly renewTime: string
}

/** metav1.MicroTime. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}

function leaseOf(raw: unknown): Lease {
  const fields = record(raw)
  const spec = record(fields['spec'])
  const number = (value: unknown): number => (typeof value === 'number' ? value : 0)
  return {
    resourceVersion: text(record(fields['metadata'])['resourceVersion']),
    holder: text(spec['holderIdentity']),
    seconds: number(spec['leaseDurationSeconds']),
    transitions: number(spec['leaseTransitions']),
    acquireTime: text(spec['acquireTime']),
    renewTime: text(spec['renewTime']),
  }
}
