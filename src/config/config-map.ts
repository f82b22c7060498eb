// What the ConfigMap of --configmap makes of the options. Command line and environment go before it, it goes before the defaults.
import { quote } from '../base/quote.ts'
import type { Diagnostic, DiagnosticReason } from '../model/diagnostic.ts'
import type { ObjectRef } from '../model/object-ref.ts'
import type { SettingKey, UnsupportedKey } from './config-map-key.ts'
import { CONFIG_MAP_KEY } from './config-map-keys.ts'
import type { Config, OptionName } from './options.ts'
import { conflictIn, nearest, type Arguments } from './parse.ts'
import { ValueError } from './values.ts'

/** As it is in the cluster. */
export interface ConfigMapObject {
  readonly meta: { readonly namespace: string; readonly name: string; readonly uid: string; readonly deleting: boolean }
  readonly data: Readonly<Record<string, string>>
}

export interface ConfigMapReading {
  /** The same object while it says the same. */
  readonly config: Config
  /** It asks for a protection that there is not: nothing is served without. */
  readonly closed: boolean
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * Reads `key` (`namespace/name`; empty: there is none) as it is now; undefined: it does not exist. Remembers the last good value of each
 * key, which stays when a bad one takes its place.
 */
export function createConfigMapReader({ config: base, given }: Pick<Arguments, 'config' | 'given'>, key: string): (configMap: ConfigMapObject | undefined) => ConfigMapReading {
  const good = new Map<string, Partial<Config>>()
  let last: { readonly configMap: ConfigMapObject | undefined; readonly reading: ConfigMapReading } | undefined
  return (configMap) => {
    if (last !== undefined && last.configMap === configMap) return last.reading
    const read = configMap === undefined || configMap.meta.deleting ? missing(base, key) : readData(configMap, base, given, good)
    const before = last?.reading.config ?? base
    last = { configMap, reading: { ...read, config: isSame(before, read.config) ? before : read.config } }
    return last.reading
  }
}

/** Of a ConfigMap full of mistakes. */
const MOST_FINDINGS = 100

/** As in ingress-nginx, the defaults hold until it is there. */
function missing(base: Config, key: string): ConfigMapReading {
  if (key === '') return { config: base, closed: false, diagnostics: [] }
  const [namespace = '', name = ''] = key.split('/')
  const object: ObjectRef = { kind: 'ConfigMap', apiVersion: 'v1', namespace, name }
  const finding = { field: '--configmap', message: `There is no ConfigMap ${quote(key)}; options and defaults hold.`, fix: 'Create it or correct the option.' }
  return { config: base, closed: false, diagnostics: [{ severity: 'warning', reason: 'ConfigMapNotFound', object, ...finding }] }
}

function readData({ meta, data }: ConfigMapObject, base: Config, given: ReadonlySet<OptionName>, good: Map<string, Partial<Config>>): ConfigMapReading {
  const object: ObjectRef = { kind: 'ConfigMap', apiVersion: 'v1', namespace: meta.namespace, name: meta.name, ...(meta.uid !== '' && { uid: meta.uid }) }
  const diagnostics: Diagnostic[] = []
  const set = new Map<SettingKey, Partial<Config>>()
  let closed = false
  const report = (severity: Diagnostic['severity'], reason: DiagnosticReason, key: string, message: string, fix: string): void => {
    if (diagnostics.length < MOST_FINDINGS) diagnostics.push({ severity, reason, object, field: `data[${key}]`, message, fix })
  }
  // Looking for the key that was meant is work.
  const suggestion = (key: string): string => {
    const found = diagnostics.length < MOST_FINDINGS ? nearest(key, [...CONFIG_MAP_KEY.keys()]) : undefined
    return found === undefined ? '' : ` (did you mean ${found}?)`
  }

  function take(spec: SettingKey, text: string): void {
    const { key, options } = spec
    if (options.some((option) => given.has(option))) {
      return report('warning', 'SettingOverruled', key, `${key}: the option is given on the command line or in the environment, which goes before the ConfigMap; ${quote(text)} is ignored.`, 'Remove the one or the other.')
    }
    try {
      const values = spec.read(text)
      good.set(key, values)
      set.set(spec, values)
    } catch (error) {
      if (!(error instanceof ValueError)) throw error
      const before = good.get(key)
      if (before !== undefined) set.set(spec, before)
      report('error', 'SettingInvalid', key, `${key} ${error.message}; ${before === undefined ? 'its default holds' : 'the value before it stays'}.`, 'Correct the value or remove the key.')
    }
  }

  function refuse({ kind, key, why, fix, isIdle }: UnsupportedKey, text: string): void {
    if (isIdle(text)) return
    if (kind === 'closes') closed = true
    const instead = kind === 'closes' ? 'so that nothing is left unprotected, all paths answer 503' : 'it is ignored'
    report(kind === 'ignored' ? 'warning' : 'error', 'SettingUnsupported', key, `${key}: ${why}; ${instead}.`, fix === '' ? 'Remove the key.' : fix)
  }

  for (const known of good.keys()) if (!Object.hasOwn(data, known)) good.delete(known)
  for (const [key, value] of Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const spec = CONFIG_MAP_KEY.get(key)
    const text = value.trim()
    if (spec === undefined) report('warning', 'SettingUnknown', key, `Narthex knows no key ${quote(key)}${suggestion(key)}; it is ignored.`, 'Correct the key or remove it.')
    else if (spec.kind !== 'sets') refuse(spec, text)
    else if (text !== '') take(spec, text)
  }

  const together = (): Config => Object.freeze(Object.assign({ ...base }, ...set.values()))
  for (let conflict = conflictIn(together()); conflict !== undefined; conflict = conflictIn(together())) {
    const { option, message } = conflict
    const blamed = [...set.keys()].find(({ options }) => options.includes(option))
    if (blamed === undefined) break
    set.delete(blamed)
    report('error', 'SettingInvalid', blamed.key, `${blamed.key}: as for the options, ${message}; it is ignored.`, 'Set the other one too.')
  }
  return { config: together(), closed, diagnostics }
}

function isSame(a: Config, b: Config): boolean {
  return Object.entries(a).every(([name, value]) => JSON.stringify(value) === JSON.stringify(Reflect.get(b, name)))
}
