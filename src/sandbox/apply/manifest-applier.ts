// Brings the objects of manifest files into the registry by server-side apply, and takes out what left its file.
import { ApiError } from '../api-server/api-error.ts'
import type { ApiRegistry } from '../api-server/api-registry.ts'
import { decodeForKind, type Decoders } from '../api-server/http/bodies.ts'
import { createServedVersions, type Served } from '../api-server/http/served-versions.ts'
import { copyJson } from '../api-server/json-value.ts'
import type { Json, KubeObject } from '../api-server/kind.ts'
import { messageOf } from '../controllers/controller.ts'
import { readManifests, type Manifest } from './manifest-file.ts'

export interface ManifestApplier {
  /** Reads the paths and applies what is new or changed; one log line for what was done and one for each problem. */
  sync(paths: readonly string[]): void
  /** Namespaces that objects of the last sync need and that were not there. */
  readonly missingNamespaces: ReadonlySet<string>
}

export interface ManifestApplierOptions {
  readonly registry: ApiRegistry
  readonly decoders: Decoders
  readonly log: (line: string) => void
}

interface Applied {
  readonly file: string
  readonly hash: string
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** The object was not there before: it goes when it leaves its file. */
  readonly created: boolean
}

/** Not kubectl's name: the server writes the last-applied annotation itself for that one. */
const MANAGER = 'narthex-sandbox'
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
/** What others need comes first, whatever the order of the files. */
const FIRST = ['Namespace', 'IngressClass', 'ServiceAccount', 'Secret', 'ConfigMap']

export function createManifestApplier({ registry, decoders, log }: ManifestApplierOptions): ManifestApplier {
  const served = createServedVersions(registry.kinds)
  const applied = new Map<string, Applied>()
  const missing = new Set<string>()

  const servedFor = (manifest: Manifest): Served => {
    const { apiVersion, kind } = manifest.value
    if (typeof apiVersion !== 'string' || typeof kind !== 'string') throw new Error('not a Kubernetes object: apiVersion and kind are missing or no text')
    const slash = apiVersion.indexOf('/')
    const [group, version] = slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)]
    const found = served.resources(group, version).find((each) => each.kind.kind === kind)
    if (!found) throw new Error(`the sandbox has no kind "${kind}" in "${apiVersion}"`)
    return found
  }

  const decode = (manifest: Manifest, target: Served): KubeObject => {
    const object = decodeForKind(copyJson(manifest.value), [], target, 'Strict', decoders, [])
    if (!object.metadata.name) throw new Error('metadata.name: Required value')
    if (!target.kind.namespaced) delete object.metadata.namespace
    else object.metadata.namespace ||= 'default'
    const annotations = object.metadata.annotations
    object.metadata.annotations = { ...annotations, [LAST_APPLIED]: lastApplied(manifest, object.metadata.namespace) }
    return object
  }

  /** `unchanged`, `created` or `changed`. */
  const apply = (manifest: Manifest): { readonly id: string; readonly outcome: 'unchanged' | 'created' | 'changed' } => {
    const target = servedFor(manifest)
    const object = decode(manifest, target)
    const { namespace = '', name } = object.metadata
    const resource = target.kind.group === '' ? target.kind.resource : `${target.kind.resource}.${target.kind.group}`
    const id = `${resource} ${namespace}/${name}`
    const before = applied.get(id)
    if (before?.hash === manifest.hash && registry.get(resource, namespace, name)?.metadata.uid === before.uid) {
      if (before.file !== manifest.file) applied.set(id, { ...before, file: manifest.file })
      return { id, outcome: 'unchanged' }
    }
    const { object: stored, created } = registry.apply(target.kind, namespace, name, object, { fieldManager: MANAGER, force: true })
    applied.set(id, { file: manifest.file, hash: manifest.hash, resource, namespace, name, uid: stored.metadata.uid, created: created || before?.created === true })
    return { id, outcome: created ? 'created' : 'changed' }
  }

  const remove = ({ resource, namespace, name, uid, created }: Applied): boolean => {
    if (!created) return false
    try {
      registry.delete(resource, namespace, name, { preconditions: { uid } })
      return true
    } catch (error) {
      if (error instanceof ApiError && (error.status.reason === 'NotFound' || error.status.reason === 'Conflict')) return false
      log(`${resource} ${namespace}/${name} left its file but can't be deleted: ${messageOf(error)}`)
      return false
    }
  }

  return {
    missingNamespaces: missing,
    sync(paths) {
      missing.clear()
      const { files, manifests, problems } = readManifests(paths)
      const counts = new Map(files.map((file) => [file, { created: 0, changed: 0, deleted: 0 }]))
      const wanted = new Set<string>()
      /** Files of which not everything could be read: what they held before stays. */
      const unsure = new Set(problems.map(({ file }) => file))
      for (const { file, document, message } of problems) log(`${file}${document === undefined ? '' : `, document ${document}`}: ${message}`)
      for (const manifest of manifests.toSorted((a, b) => rank(a) - rank(b))) {
        try {
          const { id, outcome } = apply(manifest)
          wanted.add(id)
          const count = counts.get(manifest.file)
          if (count && outcome !== 'unchanged') count[outcome]++
        } catch (error) {
          unsure.add(manifest.file)
          const namespace = missingNamespace(error)
          if (namespace !== undefined) missing.add(namespace)
          log(`${manifest.file}, document ${manifest.document}, ${titleOf(manifest)}: ${messageOf(error)}${namespace === undefined ? '' : '; it is applied once that namespace is there'}`)
        }
      }
      for (const [id, one] of applied) {
        if (wanted.has(id) || unsure.has(one.file)) continue
        applied.delete(id)
        const count = counts.get(one.file) ?? { created: 0, changed: 0, deleted: 0 }
        counts.set(one.file, count)
        if (remove(one)) count.deleted++
      }
      for (const [file, count] of counts) {
        const parts = Object.entries(count).filter(([, number]) => number > 0).map(([what, number]) => `${number} ${what}`)
        if (parts.length > 0) log(`${file}: ${parts.join(', ')}`)
      }
    },
  }
}

/** What a later `kubectl apply` of the same file compares with: byte for byte what kubectl would have written. */
function lastApplied({ value }: Manifest, namespace: string | undefined): string {
  const { annotations = {}, ...metadata } = (value['metadata'] ?? {}) as Record<string, Json>
  const config: Json = { ...value, metadata: { ...metadata, annotations, ...(namespace !== undefined && { namespace }) } }
  return `${JSON.stringify(sorted(config))}\n`
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => [name, sorted(field)]))
}

function missingNamespace(error: unknown): string | undefined {
  if (!(error instanceof ApiError) || error.status.reason !== 'NotFound') return undefined
  return error.status.details?.kind === 'namespaces' ? error.status.details.name : undefined
}

function rank(manifest: Manifest): number {
  const at = FIRST.indexOf(String(manifest.value['kind']))
  return at < 0 ? FIRST.length : at
}

/** `Ingress dev/web`, as far as the document says. */
function titleOf({ value: { kind, metadata } }: Manifest): string {
  const facts = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata) ? metadata : {}
  const { namespace, name } = facts
  return `${typeof kind === 'string' ? kind : 'object'} ${typeof namespace === 'string' ? `${namespace}/` : ''}${typeof name === 'string' ? name : '(no name)'}`
}
