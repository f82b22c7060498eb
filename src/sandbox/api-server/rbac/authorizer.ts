// Decides by stored Roles and bindings whether a service account may do something, as the RBAC authorizer does.
import { ApiError } from '../api-error.ts'
import { readPath } from '../json-value.ts'
import type { KubeObject } from '../kind.ts'
import type { Registry } from '../registry.ts'

export interface User {
  readonly name: string
  readonly namespace: string
  readonly groups: readonly string[]
}

export interface Attributes {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}

const account = '([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?):([a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?)'
const tokenForm = new RegExp(`^Bearer serviceaccount:${account}$`)
const userForm = new RegExp(`^system:serviceaccount:${account}$`)

/**
 * The user behind an Authorization header, or the one that a cluster admin impersonates (`kubectl --as=system:serviceaccount:…`);
 * undefined without either: the cluster admin. Throws ApiError 401.
 */
export function authenticate(authorization: string | undefined, impersonated: string | undefined): User | undefined {
  if (authorization === undefined && impersonated === undefined) return undefined
  const match = authorization === undefined ? userForm.exec(impersonated ?? '') : tokenForm.exec(authorization)
  if (match === null) throw new ApiError(401, 'Unauthorized', 'Unauthorized')
  const [, namespace = '', , name = ''] = match
  return { name: `system:serviceaccount:${namespace}:${name}`, namespace, groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'] }
}

export function isAllowed(registry: Registry, user: User, attributes: Attributes): boolean {
  const cluster = registry.list('clusterrolebindings').filter((binding) => bindsUser(binding, user))
  const local = attributes.namespace === '' ? [] : registry.list('rolebindings', attributes.namespace).filter((binding) => bindsUser(binding, user))
  return [...cluster, ...local].some((binding) => rulesOf(registry, binding).some((rule) => allows(rule, attributes)))
}

/** The answer to what is not allowed, in the words of the real API server. */
export function refuse(user: User, { verb, group, resource, subresource, namespace, name }: Attributes): ApiError {
  const qualified = group === '' ? resource : `${resource}.${group}`
  const scope = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`
  const what = subresource === '' ? resource : `${resource}/${subresource}`
  const target = name === '' ? qualified : `${qualified} ${JSON.stringify(name)}`
  return new ApiError(403, 'Forbidden', `${target} is forbidden: User "${user.name}" cannot ${verb} resource "${what}" in API group "${group}" ${scope}`, {
    ...(name !== '' && { name }), ...(group !== '' && { group }), kind: resource,
  })
}

function bindsUser(binding: KubeObject, user: User): boolean {
  const subjects = binding['subjects']
  return (Array.isArray(subjects) ? subjects : []).some((subject: unknown) => {
    const name = readPath(subject, 'name')
    switch (readPath(subject, 'kind')) {
      case 'ServiceAccount': return `system:serviceaccount:${String(readPath(subject, 'namespace') ?? binding.metadata.namespace)}:${String(name)}` === user.name
      case 'User': return name === user.name
      case 'Group': return user.groups.includes(String(name))
      default: return false
    }
  })
}

function rulesOf(registry: Registry, binding: KubeObject): readonly unknown[] {
  const name = String(readPath(binding, 'roleRef', 'name') ?? '')
  const role = readPath(binding, 'roleRef', 'kind') === 'ClusterRole' ? registry.get('clusterroles', '', name) : registry.get('roles', binding.metadata.namespace ?? '', name)
  const rules = role?.['rules']
  return Array.isArray(rules) ? rules : []
}

function allows(rule: unknown, { verb, group, resource, subresource, name }: Attributes): boolean {
  const has = (field: string, ...wanted: readonly string[]): boolean => {
    const list = readPath(rule, field)
    return Array.isArray(list) && list.some((item) => item === '*' || wanted.includes(String(item)))
  }
  const names = readPath(rule, 'resourceNames')
  const namesFit = !Array.isArray(names) || names.length === 0 || (name !== '' && names.includes(name))
  const what = subresource === '' ? [resource] : [`${resource}/${subresource}`, `*/${subresource}`]
  return namesFit && has('verbs', verb) && has('apiGroups', group) && has('resources', ...what)
}
