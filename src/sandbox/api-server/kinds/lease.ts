// Lease: the lock that leader election writes.
import type { Cause, Kind, KubeObject } from '../kind.ts'
import { invalid } from './cause.ts'
import { AGE, NAME, ageCell, column } from './column.ts'
import { validateMetadata } from './metadata.ts'
import { dns1123Subdomain } from './names.ts'
import { describe } from '../schemas/table.ts'

interface LeaseSpec {
  holderIdentity?: string
  leaseDurationSeconds?: number
  leaseTransitions?: number
}

function spec(object: KubeObject): LeaseSpec {
  return (object['spec'] ?? {}) as LeaseSpec
}

function validate(object: KubeObject, old: KubeObject | undefined): Cause[] {
  const causes = validateMetadata(object, old, true, dns1123Subdomain)
  const { leaseDurationSeconds, leaseTransitions } = spec(object)
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) causes.push(invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'))
  if (leaseTransitions !== undefined && leaseTransitions < 0) causes.push(invalid('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0'))
  return causes
}

export const leaseKind: Kind = {
  group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', resource: 'leases', singular: 'lease', shortNames: [], categories: [],
  namespaced: true, subresources: [], schemaName: 'io.k8s.api.coordination.v1.Lease', generation: false,
  defaults(draft) {
    draft['spec'] ??= {}
  },
  validate,
  columns: [NAME, column('Holder', describe('coordination.v1.LeaseSpec', 'holderIdentity')), AGE],
  row: (object, now) => [object.metadata.name, spec(object).holderIdentity ?? '', ageCell(object, now)],
  fields: {},
}
