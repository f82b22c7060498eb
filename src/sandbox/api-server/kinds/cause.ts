// Makes field errors in the words of the real API server: prefix by reason, value as Go prints it.
import type { Cause } from '../kind.ts'

function withDetail(text: string, detail: string): string {
  return detail === '' ? text : `${text}: ${detail}`
}

/** A value may be as large as a request and come in many causes. */
const MOST_PRINTED = 4096

/** Strings quoted, everything else as JSON; undefined (Go's nil) is null. */
function printed(value: unknown): string {
  const text = JSON.stringify(value ?? null)
  return text.length > MOST_PRINTED ? `${text.slice(0, MOST_PRINTED)}…` : text
}

export function required(field: string, detail = ''): Cause {
  return { reason: 'FieldValueRequired', message: withDetail('Required value', detail), field }
}

export function invalid(field: string, value: unknown, detail: string): Cause {
  return { reason: 'FieldValueInvalid', message: withDetail(`Invalid value: ${printed(value)}`, detail), field }
}

/** For values that Go prints by themselves and without quotes (IntOrString). */
export function invalidUnquoted(field: string, value: number | string, detail: string): Cause {
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${String(value).slice(0, MOST_PRINTED)}: ${detail}`, field }
}

/** One cause a message, all of them about one value. */
export function invalids(field: string, value: unknown, messages: readonly string[]): Cause[] {
  return messages.map(message => invalid(field, value, message))
}

/** `supported` in the order in which the real server lists it: mostly sorted, not always. */
export function notSupported(field: string, value: unknown, supported: readonly string[]): Cause {
  return { reason: 'FieldValueNotSupported', message: `Unsupported value: ${printed(value)}: supported values: ${supported.map(printed).join(', ')}`, field }
}

export function duplicate(field: string, value: unknown): Cause {
  return { reason: 'FieldValueDuplicate', message: `Duplicate value: ${printed(value)}`, field }
}

export function forbidden(field: string, detail: string): Cause {
  return { reason: 'FieldValueForbidden', message: `Forbidden: ${detail}`, field }
}

export function tooLong(field: string, bytes: number): Cause {
  return { reason: 'FieldValueTooLong', message: `Too long: may not be more than ${bytes} bytes`, field }
}

export function tooMany(field: string, count: number, most: number): Cause {
  return { reason: 'FieldValueTooMany', message: `Too many: ${count}: must have at most ${most} items`, field }
}
