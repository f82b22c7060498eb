// Translates YAML files without a cluster. What the files do not hold at all (Secrets, say) is not reported as missing:
// files for review rarely hold every kind that a cluster has.
import { stateFromObjects } from '../kube/store.ts'
import { parseConfig } from '../config/parse.ts'
import type { ClusterState } from '../kube/cluster-state.ts'
import type { Diagnostic, DiagnosticReason } from '../model/diagnostic.ts'
import type { RoutingConfig } from '../model/routing.ts'
import { DEFAULT_TRANSLATE_OPTIONS, type TranslateOptions } from '../translate/options.ts'
import { createMemo, translate, type Translation } from '../translate/translate.ts'
import { createLiveConfig } from './live-config.ts'
import { readObjects } from './yaml-files.ts'

export interface OfflineTranslation {
  readonly config: RoutingConfig
  readonly diagnostics: readonly Diagnostic[]
  /** Ingresses in the files, and how many of them are of our class. */
  readonly ingresses: number
  readonly accepted: number
  /** One line each: what could not be checked and why. */
  readonly notes: readonly string[]
}

interface Unchecked {
  readonly kind: string
  readonly missing: (state: ClusterState) => boolean
  readonly reasons: readonly DiagnosticReason[]
}

const UNCHECKED: readonly Unchecked[] = [
  { kind: 'IngressClass', missing: (state) => state.ingressClasses.size === 0, reasons: ['ClassNotFound'] },
  { kind: 'Service', missing: (state) => state.services.size === 0, reasons: ['ServiceNotFound', 'ServicePortNotFound', 'NoReadyEndpoints'] },
  { kind: 'EndpointSlice', missing: (state) => state.slicesByService.size === 0, reasons: ['NoReadyEndpoints'] },
  { kind: 'Secret', missing: (state) => state.secrets.size === 0, reasons: ['SecretNotFound'] },
]

/** `configMap`: `namespace/name` of the one with settings. Throws CommandError where a file can't be read. */
export function translateFiles(paths: readonly string[], options: Partial<TranslateOptions> = {}, configMap = ''): OfflineTranslation {
  const objects = readObjects(paths)
  const given = stateFromObjects(objects)
  const live = createLiveConfig(parseConfig('run', configMap === '' ? [] : [`--configmap=${configMap}`], {}))
  live.read(given.configMaps)
  const { scheduler, redirects, closed } = live.options()
  // Files are on no node.
  const full = { ...DEFAULT_TRANSLATE_OPTIONS, allowLoopback: true, ignoreTrafficPolicies: true, scheduler, redirects, closed, ...options }
  const state = given.ingressClasses.size > 0 ? given : stateFromObjects([...objects, ownClass(full)])
  const { config, diagnostics, accepted } = live.withDiagnostics(translateAll(state, full))
  const missing = UNCHECKED.filter((each) => each.missing(given))
  const dropped = new Set(missing.flatMap((each) => each.reasons))
  const kept = diagnostics.filter((each) => !dropped.has(each.reason))
  const concerned = missing.filter(({ reasons }) => diagnostics.some(({ reason }) => reasons.includes(reason)))
  const notes = concerned.map(({ kind }) => `No ${kind} is among the files: references to them were not checked.`)
  return { config, diagnostics: kept, ingresses: given.ingresses.size, accepted: accepted.length, notes }
}

/** Of thousands of Secrets each translation looks into some. */
function translateAll(state: ClusterState, options: TranslateOptions): Translation {
  const memo = createMemo()
  for (let now = Date.now(); ; now++) {
    const translation = translate(state, options, memo, now)
    if (translation.nextDate === undefined || translation.nextDate > now) return translation
  }
}

/** Files without any IngressClass are taken as written for ours, which is the default class as well. */
function ownClass({ ingressClass, controllerClass }: TranslateOptions): unknown {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: ingressClass, annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    spec: { controller: controllerClass },
  }
}
