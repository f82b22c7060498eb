// Who says something of which host. Follows the Ingresses that changed instead of going through all of them again.
import type { Contribution, IngressDraft } from './draft.ts'

export interface HostGroups {
  readonly ingresses: readonly IngressDraft[]
  /** Oldest Ingress first. */
  readonly byHost: ReadonlyMap<string, readonly Contribution[]>
  /** Hosts whose list is not the one of before, those that have gone among them; undefined: all. */
  readonly touched: ReadonlySet<string> | undefined
}

/** `ingresses` are in order of age. */
export function groupHosts(ingresses: readonly IngressDraft[], before: HostGroups | undefined): HostGroups {
  if (before === undefined) return { ingresses, byHost: groupAll(ingresses), touched: undefined }
  const removed = new Set(before.ingresses)
  const added = ingresses.filter((ingress) => !removed.delete(ingress))
  const byHost = new Map(before.byHost)
  const touched = new Set<string>()
  for (const ingress of removed) {
    for (const contribution of ingress.contributions) {
      touched.add(contribution.host)
      byHost.set(contribution.host, (byHost.get(contribution.host) ?? []).filter((each) => each !== contribution))
    }
  }
  for (const ingress of added) {
    for (const contribution of ingress.contributions) {
      touched.add(contribution.host)
      byHost.set(contribution.host, [...(byHost.get(contribution.host) ?? []), contribution].sort(byAge))
    }
  }
  for (const host of touched) if (byHost.get(host)?.length === 0) byHost.delete(host)
  return { ingresses, byHost, touched }
}

function groupAll(ingresses: readonly IngressDraft[]): ReadonlyMap<string, readonly Contribution[]> {
  const byHost = new Map<string, Contribution[]>()
  for (const ingress of ingresses) {
    for (const contribution of ingress.contributions) {
      const list = byHost.get(contribution.host)
      if (list === undefined) byHost.set(contribution.host, [contribution])
      else list.push(contribution)
    }
  }
  return byHost
}

/** The order of the Ingresses themselves; an Ingress has one contribution a host, so there are no equals. */
function byAge(a: Contribution, b: Contribution): number {
  return a.createdAt - b.createdAt || compare(a.object.namespace, b.object.namespace) || compare(a.object.name, b.object.name)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
