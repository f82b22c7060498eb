// Field sections in their serialised form: `Name: value\r\n` lines, one space, nothing else around the value.
// Heads are kept in this form so that forwarding them is one slice; looking into them is for the rare case.

const SP = 32
const TAB = 9

/** The value between two indexes without optional white space. */
export function trimValue(text: string, start: number, end: number): string {
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

/** True when the bytes after the colon are already as we would write them: `" " value`, a value without white space around it. */
export function isCanonicalValue(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start > 1 && bytes[start] === SP && (bytes[start + 1] ?? 0) > SP && (bytes[end - 1] ?? 0) > SP
}

export function fieldLine(name: string, value: string): string {
  return value === '' ? `${name}:\r\n` : `${name}: ${value}\r\n`
}

/** Value of the first field with this lower-case name; several are joined with `, `. Undefined: there is none. */
export function fieldValue(fields: string, name: string): string | undefined {
  let found: string | undefined
  eachField(fields, (fieldName, value) => {
    if (fieldName.length === name.length && fieldName.toLowerCase() === name) found = found === undefined ? value : `${found}, ${value}`
  })
  return found
}

export function eachField(fields: string, call: (name: string, value: string, line: string) => void): void {
  let position = 0
  while (position < fields.length) {
    const end = fields.indexOf('\n', position) + 1
    if (end === 0) return
    const colon = fields.indexOf(':', position)
    call(fields.slice(position, colon), trimValue(fields, colon + 1, end - 2), fields.slice(position, end))
    position = end
  }
}

/** The section without the fields whose lower-case names are given. */
export function withoutFields(fields: string, names: ReadonlySet<string>): string {
  let kept = ''
  eachField(fields, (name, _value, line) => {
    if (!names.has(name.toLowerCase())) kept += line
  })
  return kept
}

/** The members of a comma-separated list, lower case, empty ones left out. */
export function listMembers(value: string): string[] {
  const members: string[] = []
  for (const part of value.split(',')) {
    const member = trimValue(part, 0, part.length).toLowerCase()
    if (member !== '') members.push(member)
  }
  return members
}

/** What Connection says of a head. */
export interface ConnectionOptions {
  /** Its value. */
  connection: string
  keepAlive: boolean
  /** End-to-end fields: those that Connection names are taken away. */
  fields: string
}

/** RFC 9110 section 7.6.1. Sets `keepAlive` where Connection speaks of it. `known`: what it may name that is kept elsewhere. */
export function settleConnection(head: ConnectionOptions, known: ReadonlySet<string>): void {
  const { connection } = head
  // As nearly all write it.
  if (connection === 'keep-alive' || connection === 'Keep-Alive' || connection === 'close') {
    head.keepAlive = connection !== 'close'
    return
  }
  const options = listMembers(connection)
  if (options.includes('close')) head.keepAlive = false
  else if (options.includes('keep-alive')) head.keepAlive = true
  const named = options.filter((option) => !known.has(option))
  if (named.length > 0) head.fields = withoutFields(head.fields, new Set(named))
}

function isSpace(code: number): boolean {
  return code === SP || code === TAB
}
