// The shape of a key of the ConfigMap of --configmap, and the few ways to describe one.
import type { Config, OptionName } from './options.ts'
import * as value from './values.ts'

/** Sets options that can change while Narthex runs. */
export interface SettingKey {
  readonly kind: 'sets'
  readonly key: string
  readonly options: readonly OptionName[]
  /** Throws ValueError. */
  readonly read: (text: string) => Partial<Config>
  /** For the documentation: what differs from ingress-nginx; empty: nothing. */
  readonly note: string
}

/**
 * Nothing comes of it. ignored: everything is served without it, with a warning; refused: the same, as an error; closes: it protects
 * something, so without it all paths answer 503.
 */
export interface UnsupportedKey {
  readonly kind: 'ignored' | 'refused' | 'closes'
  readonly key: string
  /** Why, as a sentence of its own without a full stop. */
  readonly why: string
  /** What to do instead; empty: remove the key. */
  readonly fix: string
  /** Values that ask for nothing beyond what Narthex does anyway. */
  readonly isIdle: (text: string) => boolean
}

export type ConfigMapKey = SettingKey | UnsupportedKey

export function sets<Name extends OptionName>(key: string, option: Name, read: (text: string) => Config[Name], note = ''): SettingKey {
  const partial = (text: string): Partial<Config> => {
    const values: Partial<Config> = {}
    return Object.assign(values, { [option]: read(text) })
  }
  return { kind: 'sets', key, options: [option], read: partial, note }
}

export function setsAll(key: string, options: readonly OptionName[], read: (text: string) => Partial<Config>, note: string): SettingKey {
  return { kind: 'sets', key, options, read, note }
}

export function ignored(key: string, why: string, idle: readonly string[] = [], fix = ''): UnsupportedKey {
  return unsupported('ignored', key, why, idle, fix)
}

export function refused(key: string, why: string, idle: readonly string[] = [], fix = ''): UnsupportedKey {
  return unsupported('refused', key, why, idle, fix)
}

export function closes(key: string, why: string, idle: readonly string[] = []): UnsupportedKey {
  return unsupported('closes', key, why, idle, 'Remove the key only if everything may be served without it.')
}

function unsupported(kind: UnsupportedKey['kind'], key: string, why: string, idle: readonly string[], fix: string): UnsupportedKey {
  return { kind, key, why, fix, isIdle: (text) => text === '' || idle.includes(text) }
}

/** Of those that ingress-nginx has as whole seconds. 0 would end everything at once. */
export function time(text: string): number {
  const ms = value.duration(text)
  if (ms === 0) throw new value.ValueError('wants more than 0')
  return ms
}
