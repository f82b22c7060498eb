// The live store: one reflector for each kind that routing reads, all on one connection, and one cluster state.
import { systemClock, type Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ClusterState } from './cluster-state.ts'
import type { Connection } from './connection.ts'
import type { ObjectKey } from './objects.ts'
import { startReflector, type Reflector, type ReflectorFacts } from './reflector.ts'
import { collectionPath, RESOURCES } from './resource.ts'
import { createStore } from './store.ts'
import { createTrouble } from './trouble.ts'
import type { KubeKind } from './trim.ts'

export interface LiveStoreOptions {
  readonly connection: Connection
  /** Empty: all namespaces. */
  readonly namespace: string
  /** Objects outside that namespace that options name; ignored when all namespaces are watched. */
  readonly also?: readonly { readonly kind: 'Service' | 'Secret'; readonly key: ObjectKey }[]
  /** The only ConfigMaps that are read, `namespace/name`. */
  readonly configMaps?: readonly ObjectKey[]
  readonly log: Log
  readonly clock?: Clock
  readonly random?: () => number
}

export interface LiveStore {
  state(): ClusterState
  /** After the first complete list of every kind: before that, what is missing may only not have arrived yet. Never rejects. */
  readonly synced: Promise<void>
  /** Calls back, any number of times, whenever state() has changed; before the sync as well. The answer stops it. */
  onDirty(call: () => void): () => void
  facts(): readonly ReflectorFacts[]
  /** Resolves when no call is under way any more; the connection stays open. */
  stop(): Promise<void>
}

/** What one reflector is in charge of. */
interface Share {
  readonly kind: KubeKind
  readonly namespace: string
  readonly query: Readonly<Record<string, string>>
  /** Whether a stored object is in this share: a relist removes no other. */
  readonly has: (key: ObjectKey) => boolean
}

export function startStore({ connection, namespace, also = [], configMaps = [], log, clock = systemClock, random = Math.random }: LiveStoreOptions): LiveStore {
  const store = createStore()
  const trouble = createTrouble(connection, log, clock)
  const listeners = new Set<() => void>()
  const changed = (mattered: boolean): void => {
    if (mattered) for (const listener of listeners) listener()
  }
  const reflectors = sharesOf(namespace, also, configMaps).map((share): Reflector => {
    const resource = RESOURCES[share.kind]
    return startReflector({
      connection,
      resource,
      selection: { path: collectionPath(resource, share.namespace), query: share.query },
      apply: (event) => changed(store.apply(event)),
      replace: (objects) => changed(store.replace(share.kind, objects, share.has)),
      trouble,
      log,
      clock,
      random,
    })
  })
  return {
    state: () => store.state(),
    synced: Promise.all(reflectors.map((reflector) => reflector.synced)).then(() => undefined),
    onDirty(call) {
      listeners.add(call)
      return () => listeners.delete(call)
    },
    facts: () => reflectors.map((reflector) => reflector.facts()),
    async stop() {
      listeners.clear()
      await Promise.all(reflectors.map((reflector) => reflector.stop()))
    },
  }
}

function sharesOf(namespace: string, also: NonNullable<LiveStoreOptions['also']>, configMaps: readonly ObjectKey[]): readonly Share[] {
  const shares: Share[] = (['Ingress', 'IngressClass', 'Service', 'EndpointSlice', 'Secret'] as const).map((kind) => {
    const inside = RESOURCES[kind].namespaced ? namespace : ''
    return { kind, namespace: inside, query: {}, has: inside === '' ? () => true : (key) => key.startsWith(`${inside}/`) }
  })
  for (const key of new Set(configMaps)) shares.push(shareOfOne('ConfigMap', key))
  if (namespace === '') return shares
  const outside = also.filter(({ key }) => !key.startsWith(`${namespace}/`))
  const keys = new Map(outside.map((each) => [`${each.kind} ${each.key}`, each]))
  for (const { kind, key } of keys.values()) {
    shares.push(shareOfOne(kind, key))
    if (kind === 'Service') shares.push(slicesOf(key, outside))
  }
  return shares
}

function shareOfOne(kind: KubeKind, key: ObjectKey): Share {
  const [namespace = '', name = ''] = key.split('/')
  return { kind, namespace, query: { fieldSelector: `metadata.name=${name}` }, has: (each) => each === key }
}

/** The slices of one Service; their names say nothing of it, so a share has those that no other share brought. */
function slicesOf(key: ObjectKey, outside: NonNullable<LiveStoreOptions['also']>): Share {
  const [namespace = '', name = ''] = key.split('/')
  const alone = outside.filter((each) => each.kind === 'Service' && each.key.startsWith(`${namespace}/`)).length === 1
  const query: Record<string, string> = alone ? { labelSelector: `kubernetes.io/service-name=${name}` } : {}
  return { kind: 'EndpointSlice', namespace, query, has: (each) => each.startsWith(`${namespace}/`) }
}
