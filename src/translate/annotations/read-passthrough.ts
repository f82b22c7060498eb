// ssl-passthrough: TLS of the hosts of an Ingress goes to their backends as it comes.
import type { Diagnostic } from '../../model/diagnostic.ts'
import type { ObjectRef } from '../../model/object-ref.ts'
import { error, quote, warning } from '../report.ts'
import { fieldOf, type Entry } from './entries.ts'
import { isFalse, parseBool } from './spec.ts'

export interface AskedPassthrough {
  /** False: it can't be told whether it is asked for, a diagnostic says so, and nothing may be let in. */
  readonly isClear: boolean
  /** The backend is sent a PROXY protocol header first. */
  readonly proxyOut: boolean
  readonly field: string
}

/** Undefined: it is not asked for. */
export function readPassthrough(entries: ReadonlyMap<string, Entry>, object: ObjectRef, diagnostics: Diagnostic[]): AskedPassthrough | undefined {
  const entry = entries.get('ssl-passthrough')
  if (entry === undefined || isFalse(entry.value)) return undefined
  const field = fieldOf(entry)
  const isClear = parseBool(entry.value) === true
  if (!isClear) {
    diagnostics.push(error('AnnotationInvalid', object, { field, message: `${quote(entry.value)} is no boolean; so that nothing is read that should not be, all paths of its hosts answer 403.`, fix: 'Set it to "true" or "false".' }))
  }
  return { isClear, proxyOut: proxyOut(entries.get('ssl-passthrough-proxy-protocol'), object, diagnostics), field }
}

function proxyOut(entry: Entry | undefined, object: ObjectRef, diagnostics: Diagnostic[]): boolean {
  if (entry === undefined || isFalse(entry.value)) return false
  if (parseBool(entry.value) === true) return true
  diagnostics.push(warning('AnnotationInvalid', object, { field: fieldOf(entry), message: `${quote(entry.value)} is no boolean; the backend gets no PROXY protocol header.`, fix: 'Set it to "true" or "false".' }))
  return false
}
