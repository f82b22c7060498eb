// proxy-connect-timeout, proxy-read-timeout, proxy-send-timeout: what the endpoints of an Ingress have time for, in place of the settings.
import type { Diagnostic } from '../../model/diagnostic.ts'
import type { ObjectRef } from '../../model/object-ref.ts'
import type { RouteTimeouts } from '../../model/policy.ts'
import { quote, warning } from '../report.ts'
import { fieldOf, type Entry } from './entries.ts'

const FIELDS = { connect: 'proxy-connect-timeout', read: 'proxy-read-timeout', send: 'proxy-send-timeout' } as const

/** As ingress-nginx reads them: whole seconds without a unit. */
const SECONDS = /^0*[1-9]\d{0,8}$/

/** undefined: none is asked for. */
export function readTimeouts(entries: ReadonlyMap<string, Entry>, object: ObjectRef, diagnostics: Diagnostic[]): RouteTimeouts | undefined {
  const read = (name: string): number | undefined => {
    const entry = entries.get(name)
    if (entry === undefined || entry.value === '') return undefined
    if (SECONDS.test(entry.value)) return Number(entry.value) * 1000
    diagnostics.push(
      warning('AnnotationInvalid', object, {
        field: fieldOf(entry),
        message: `${quote(entry.value)} is no number of seconds; ${name} is taken from the settings.`,
        fix: 'Set it to whole seconds without a unit, 1 or more, such as "3600".',
      }),
    )
    return undefined
  }
  const [connect, receive, send] = [read(FIELDS.connect), read(FIELDS.read), read(FIELDS.send)]
  if (connect === undefined && receive === undefined && send === undefined) return undefined
  return { ...(connect !== undefined && { connect }), ...(receive !== undefined && { read: receive }), ...(send !== undefined && { send }) }
}
