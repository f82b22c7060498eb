// What the readers of annotations that protect something have in common: what can't be had as it was asked for closes, and says so.
import type { Diagnostic } from '../../model/diagnostic.ts'
import type { ObjectRef } from '../../model/object-ref.ts'
import { error, quote, warning } from '../report.ts'
import { fieldOf, type Entry } from './entries.ts'

export const DEFAULT_DEPTH = 1
const LARGEST_DEPTH = 20

export class ProtectionReader {
  protected readonly object: ObjectRef
  readonly #entries: ReadonlyMap<string, Entry>
  readonly #diagnostics: Diagnostic[]
  readonly #instead: string

  /** `instead`: a clause of what happens when a protection can't be had. */
  constructor(entries: ReadonlyMap<string, Entry>, object: ObjectRef, diagnostics: Diagnostic[], instead: string) {
    this.#entries = entries
    this.object = object
    this.#diagnostics = diagnostics
    this.#instead = instead
  }

  protected valued(name: string): Entry | undefined {
    const entry = this.#entries.get(name)
    return entry === undefined || entry.value === '' ? undefined : entry
  }

  /** Most intermediate certificates. */
  protected depth(name: string): number {
    const entry = this.valued(name)
    if (entry === undefined) return DEFAULT_DEPTH
    const depth = /^\d{1,3}$/.test(entry.value) ? Number(entry.value) : Number.NaN
    if (depth <= LARGEST_DEPTH) return depth
    this.warn(entry, `${quote(entry.value)} is no number from 0 to ${LARGEST_DEPTH}; ${DEFAULT_DEPTH} is used`, 'Set it to the number of intermediate certificates.')
    return DEFAULT_DEPTH
  }

  /** `namespace/name`; undefined: refused. */
  protected secret(entry: Entry): string | undefined {
    const { namespace } = this.object
    const match = /^([a-z0-9]([-a-z0-9]*[a-z0-9])?)\/([a-z0-9]([-a-z0-9.]*[a-z0-9])?)$/.exec(entry.value)
    if (match === null) this.refuse(entry, `${quote(entry.value)} names no Secret`, 'Write namespace/name.')
    else if (match[1] !== namespace) this.refuse(entry, `The Secret ${quote(entry.value)} is of another namespace`, `Use a Secret of namespace ${quote(namespace)}.`)
    else return entry.value
    return undefined
  }

  protected warn(entry: Entry, message: string, fix: string): void {
    this.#diagnostics.push(warning('AnnotationInvalid', this.object, { field: fieldOf(entry), message: `${message}.`, fix }))
  }

  protected refuse(entry: Entry, wrong: string, fix: string): void {
    this.#diagnostics.push(error('AnnotationInvalid', this.object, { field: fieldOf(entry), message: `${wrong}; ${this.#instead}.`, fix }))
  }
}
