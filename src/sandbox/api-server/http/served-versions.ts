// Which group-versions are served and which kind stands behind each resource of them.
import type { Kind, KubeObject, LegacyVersion } from '../kind.ts'

/** One resource in one group-version. */
export interface Served {
  readonly kind: Kind
  /** Given when the version is not the kind's own. */
  readonly legacy: LegacyVersion | undefined
  readonly group: string
  readonly version: string
  /** `v1`, `networking.k8s.io/v1`. */
  readonly apiVersion: string
  readonly schemaName: string
  readonly deprecation: string | undefined
}

export interface ServedVersions {
  find(group: string, version: string, resource: string): Served | undefined
  /** Resources of a group-version by name; empty when it is not served. */
  resources(group: string, version: string): readonly Served[]
  /** The core group first, then by name; legacy groups last, so that clients prefer the current ones. */
  readonly groups: readonly { readonly group: string; readonly versions: readonly string[] }[]
}

export function groupVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`
}

export function createServedVersions(kinds: readonly Kind[]): ServedVersions {
  const served: Served[] = kinds.flatMap((kind) => [
    { kind, legacy: undefined, group: kind.group, version: kind.version, apiVersion: groupVersion(kind.group, kind.version), schemaName: kind.schemaName, deprecation: kind.deprecation },
    ...(kind.legacy ?? []).map((legacy) => ({
      kind, legacy, group: legacy.group, version: legacy.version, apiVersion: groupVersion(legacy.group, legacy.version), schemaName: legacy.schemaName, deprecation: legacy.deprecation,
    })),
  ])
  const byKey = new Map(served.map((one) => [`${one.apiVersion} ${one.kind.resource}`, one]))
  const byVersion = Map.groupBy(served, (one) => one.apiVersion)
  const versions = new Map<string, string[]>()
  // Own versions before legacy ones: the first version of a group is the preferred one.
  for (const one of served.toSorted((a, b) => Number(a.legacy !== undefined) - Number(b.legacy !== undefined))) {
    const known = versions.get(one.group) ?? []
    if (!known.includes(one.version)) versions.set(one.group, [...known, one.version])
  }
  const isLegacyOnly = (group: string): boolean => served.every((one) => one.group !== group || (one.legacy !== undefined && one.deprecation !== undefined))
  const groups = [...versions].map(([group, list]) => ({ group, versions: list })).toSorted((a, b) => Number(isLegacyOnly(a.group)) - Number(isLegacyOnly(b.group)) || (a.group < b.group ? -1 : 1))
  return {
    find: (group, version, resource) => byKey.get(`${groupVersion(group, version)} ${resource}`),
    resources: (group, version) => (byVersion.get(groupVersion(group, version)) ?? []).toSorted((a, b) => (a.kind.resource < b.kind.resource ? -1 : 1)),
    groups,
  }
}

/** A stored object as this version answers it. */
export function present(served: Served, object: KubeObject): KubeObject {
  return served.legacy === undefined ? object : served.legacy.fromCurrent(object)
}

/** What error texts call the resource: in the group of the request. */
export function nameOf(served: Served): { readonly group: string; readonly resource: string; readonly kind: string } {
  return { group: served.group, resource: served.kind.resource, kind: served.kind.kind }
}
