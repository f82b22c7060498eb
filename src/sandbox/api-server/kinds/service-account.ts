// ServiceAccount: an account without tokens; the sandbox has no authorization that would use it.
import type { Kind } from '../kind.ts'
import { AGE, NAME, ageCell, column } from './column.ts'
import { validateMetadata } from './metadata.ts'
import { dns1123Subdomain } from './names.ts'
import { describe } from '../schemas/table.ts'

export const serviceAccountKind: Kind = {
  group: '', version: 'v1', kind: 'ServiceAccount', resource: 'serviceaccounts', singular: 'serviceaccount', shortNames: ['sa'], categories: [],
  namespaced: true, subresources: [], schemaName: 'io.k8s.api.core.v1.ServiceAccount', generation: false,
  defaults() {},
  validate: (object, old) => validateMetadata(object, old, true, dns1123Subdomain),
  columns: [NAME, column('Secrets', describe('core.v1.ServiceAccount', 'secrets')), AGE],
  row: (object, now) => [object.metadata.name, ((object['secrets'] as unknown[] | undefined) ?? []).length, ageCell(object, now)],
  fields: {},
}
