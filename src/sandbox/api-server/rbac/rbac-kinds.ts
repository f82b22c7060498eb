// The four kinds of rbac.authorization.k8s.io/v1 as plain stored kinds: enough for manifests to be applied and checked against.
import { readPath } from '../json-value.ts'
import type { Cause, Kind, KubeObject } from '../kind.ts'
import { AGE, ageCell, column, NAME } from '../kinds/column.ts'
import { describe } from '../schemas/table.ts'

const group = 'rbac.authorization.k8s.io'

function required(field: string): Cause {
  return { reason: 'FieldValueRequired', message: 'Required value', field }
}

/** RBAC names are path segments, not DNS names: `system:node` is one. */
function validateName({ metadata: { name } }: KubeObject): Cause[] {
  if (!name) return [{ reason: 'FieldValueRequired', message: 'Required value: name or generateName is required', field: 'metadata.name' }]
  if (name === '.' || name === '..' || /[/%]/.test(name)) {
    return [{ reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(name)}: may not contain '/' or '%'`, field: 'metadata.name' }]
  }
  return []
}

function validateRules(object: KubeObject): Cause[] {
  const rules = object['rules']
  return (Array.isArray(rules) ? rules : []).flatMap((rule: unknown, at) => {
    const has = (name: string): boolean => {
      const list = readPath(rule, name)
      return Array.isArray(list) && list.length > 0
    }
    const causes = has('verbs') ? [] : [{ ...required(`rules[${at}].verbs`), message: 'Required value: verbs must contain at least one value' }]
    if (has('nonResourceURLs')) return causes
    if (!has('apiGroups')) causes.push({ ...required(`rules[${at}].apiGroups`), message: 'Required value: resource rules must supply at least one api group' })
    if (!has('resources')) causes.push({ ...required(`rules[${at}].resources`), message: 'Required value: resource rules must supply at least one resource' })
    return causes
  })
}

function validateBinding(object: KubeObject, old: KubeObject | undefined): Cause[] {
  const causes: Cause[] = []
  if (!readPath(object, 'roleRef', 'name')) causes.push(required('roleRef.name'))
  if (old !== undefined && JSON.stringify(old['roleRef']) !== JSON.stringify(object['roleRef'])) {
    causes.push({ reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(object['roleRef'])}: cannot change roleRef`, field: 'roleRef' })
  }
  const subjects = object['subjects']
  for (const [at, subject] of (Array.isArray(subjects) ? subjects : []).entries()) {
    if (!readPath(subject, 'name')) causes.push(required(`subjects[${at}].name`))
    if (readPath(subject, 'kind') === 'ServiceAccount' && !readPath(subject, 'namespace')) causes.push(required(`subjects[${at}].namespace`))
  }
  return causes
}

function roleKind(kind: 'Role' | 'ClusterRole', namespaced: boolean): Kind {
  return {
    group, version: 'v1', kind, resource: `${kind.toLowerCase()}s`, singular: kind.toLowerCase(), shortNames: [], categories: [], namespaced,
    subresources: [], schemaName: `io.k8s.api.rbac.v1.${kind}`, generation: false,
    defaults(draft) {
      draft['rules'] ??= null
    },
    validate: (object) => [...validateName(object), ...validateRules(object)],
    columns: [NAME, column('Created At', describe('meta.v1.ObjectMeta', 'creationTimestamp'))],
    row: ({ metadata }) => [metadata.name, metadata.creationTimestamp],
    fields: {},
  }
}

function bindingKind(kind: 'RoleBinding' | 'ClusterRoleBinding', namespaced: boolean): Kind {
  const names = (object: KubeObject, of: string): string => {
    const subjects = object['subjects']
    return (Array.isArray(subjects) ? subjects : []).filter((subject) => readPath(subject, 'kind') === of).map((subject) => {
      const namespace = readPath(subject, 'namespace')
      return `${of === 'ServiceAccount' ? `${String(namespace ?? '')}/` : ''}${String(readPath(subject, 'name') ?? '')}`
    }).join(', ')
  }
  return {
    group, version: 'v1', kind, resource: `${kind.toLowerCase()}s`, singular: kind.toLowerCase(), shortNames: [], categories: [], namespaced,
    subresources: [], schemaName: `io.k8s.api.rbac.v1.${kind}`, generation: false,
    defaults(draft) {
      const subjects = draft['subjects']
      if (Array.isArray(subjects)) draft['subjects'] = subjects.map((subject: object) => (readPath(subject, 'kind') === 'ServiceAccount' || 'apiGroup' in subject ? subject : { ...subject, apiGroup: group }))
      const roleRef = draft['roleRef']
      if (typeof roleRef === 'object' && roleRef !== null && !('apiGroup' in roleRef)) draft['roleRef'] = { apiGroup: group, ...roleRef }
    },
    validate: (object, old) => [...validateName(object), ...validateBinding(object, old)],
    columns: [
      NAME, column('Role', 'RoleRef can reference a ClusterRole or a Role.'), AGE,
      column('Users', 'Users in the binding', { priority: 1 }), column('Groups', 'Groups in the binding', { priority: 1 }), column('ServiceAccounts', 'ServiceAccounts in the binding', { priority: 1 }),
    ],
    row: (object, now) => [
      object.metadata.name, `${String(readPath(object, 'roleRef', 'kind') ?? '')}/${String(readPath(object, 'roleRef', 'name') ?? '')}`, ageCell(object, now),
      names(object, 'User'), names(object, 'Group'), names(object, 'ServiceAccount'),
    ],
    fields: {},
  }
}

export const rbacKinds: readonly Kind[] = [roleKind('ClusterRole', false), bindingKind('ClusterRoleBinding', false), roleKind('Role', true), bindingKind('RoleBinding', true)]
