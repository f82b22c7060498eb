// Discovery documents: aggregated (apidiscovery v2 and v2beta1) and the plain lists of older clients. Pure.
import { isNamespaceKind } from '../namespace-lifecycle.ts'
import { groupVersion } from './served-versions.ts'
import type { Served, ServedVersions } from './served-versions.ts'

/** A subresource that another part serves (`pods/log`); only announced here. */
export interface ConnectSubresource {
  /** `pods` in the core group. */
  readonly resource: string
  readonly subresource: string
  readonly kind: string
  readonly verbs: readonly string[]
}

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const
const statusVerbs = ['get', 'patch', 'update'] as const

interface Subresource {
  readonly subresource: string
  readonly responseKind: { readonly group: string; readonly version: string; readonly kind: string }
  readonly verbs: readonly string[]
}

/** Access reviews are answered without being stored. */
export const reviewGroup = 'authorization.k8s.io'
const review = { resource: 'selfsubjectaccessreviews', singular: 'selfsubjectaccessreview', kind: 'SelfSubjectAccessReview' } as const

/** A version that only exists for old manifests claims no short names: kubectl would warn of them on every command. */
function shortNames({ kind, legacy }: Served): readonly string[] {
  return legacy?.deprecation === undefined ? kind.shortNames : []
}

function subresourcesOf({ kind, legacy }: Served, connect: readonly ConnectSubresource[]): Subresource[] {
  const own = { group: '', version: '', kind: kind.kind }
  const found: Subresource[] = kind.subresources.map((subresource) => ({
    subresource, verbs: statusVerbs, responseKind: subresource === 'scale' ? { group: 'autoscaling', version: 'v1', kind: 'Scale' } : own,
  }))
  if (isNamespaceKind(kind)) found.push({ subresource: 'finalize', responseKind: own, verbs: ['update'] })
  if (kind.group === '' && legacy === undefined) {
    for (const one of connect) if (one.resource === kind.resource) found.push({ subresource: one.subresource, responseKind: { group: '', version: '', kind: one.kind }, verbs: one.verbs })
  }
  return found.toSorted((a, b) => (a.subresource < b.subresource ? -1 : 1))
}

function aggregatedResource(served: Served, connect: readonly ConnectSubresource[]): object {
  const { kind } = served
  const subresources = subresourcesOf(served, connect)
  return {
    resource: kind.resource,
    responseKind: { group: '', version: '', kind: kind.kind },
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: kind.verbs ?? allVerbs,
    ...(shortNames(served).length > 0 && { shortNames: shortNames(served) }),
    ...(kind.categories.length > 0 && { categories: kind.categories }),
    ...(subresources.length > 0 && { subresources }),
  }
}

export interface Discovery {
  /** Body of /api (`core`) or /apis; `version` is that of apidiscovery.k8s.io. */
  aggregated(core: boolean, version: 'v2' | 'v2beta1'): object
  apiVersions(): object
  groupList(): object
  /** /apis/<group>; undefined when it is not served. */
  group(name: string): object | undefined
  /** /api/v1, /apis/<group>/<version>; undefined when it is not served. */
  resourceList(group: string, version: string): object | undefined
}

export function createDiscovery(versions: ServedVersions, connect: readonly ConnectSubresource[]): Discovery {
  const withReviews = [...versions.groups.filter((one) => one.group !== ''), ...(versions.groups.some((one) => one.group === reviewGroup) ? [] : [{ group: reviewGroup, versions: ['v1'] }])]

  function aggregatedResources(group: string, version: string): object[] {
    const reviews = group === reviewGroup
      ? [{ resource: review.resource, responseKind: { group: '', version: '', kind: review.kind }, scope: 'Cluster', singularResource: review.singular, verbs: ['create'] }]
      : []
    return [...versions.resources(group, version).map((served) => aggregatedResource(served, connect)), ...reviews]
  }

  function groupOf({ group, versions }: { readonly group: string; readonly versions: readonly string[] }): object {
    const list = versions.map((version) => ({ groupVersion: groupVersion(group, version), version }))
    return { name: group, versions: list, preferredVersion: list[0] }
  }

  return {
    aggregated: (core, version) => ({
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: (core ? versions.groups.filter((one) => one.group === '') : withReviews).map((one) => ({
        metadata: core ? {} : { name: one.group },
        versions: one.versions.map((name) => ({ version: name, resources: aggregatedResources(one.group, name), freshness: 'Current' })),
      })),
    }),
    apiVersions: () => ({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '' }] }),
    groupList: () => ({ kind: 'APIGroupList', apiVersion: 'v1', groups: withReviews.map(groupOf) }),
    group(name) {
      const found = withReviews.find((one) => one.group === name)
      return found === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(found) }
    },
    resourceList(group, version) {
      const served = versions.resources(group, version)
      const reviews = group === reviewGroup && version === 'v1' ? [{ name: review.resource, singularName: review.singular, namespaced: false, kind: review.kind, verbs: ['create'] }] : []
      if (served.length === 0 && reviews.length === 0) return undefined
      const resources = served.flatMap((one) => [resourceEntry(one), ...subresourceEntries(one, connect)])
      return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: groupVersion(group, version), resources: [...resources, ...reviews] }
    },
  }
}

function resourceEntry(served: Served): object {
  const { kind } = served
  return {
    name: kind.resource,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: kind.verbs ?? allVerbs,
    ...(shortNames(served).length > 0 && { shortNames: shortNames(served) }),
    ...(kind.categories.length > 0 && { categories: kind.categories }),
  }
}

function subresourceEntries(served: Served, connect: readonly ConnectSubresource[]): object[] {
  return subresourcesOf(served, connect).map(({ subresource, responseKind, verbs }) => ({
    name: `${served.kind.resource}/${subresource}`,
    singularName: '',
    namespaced: served.kind.namespaced,
    ...(responseKind.group !== '' && { group: responseKind.group, version: responseKind.version }),
    kind: responseKind.kind,
    verbs,
  }))
}
