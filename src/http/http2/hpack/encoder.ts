// Header blocks as latin1 text. Stateless by choice: no entry goes into the peer's dynamic table, so that a field's text is worked out once a
// thread, whichever connection it goes out on, and no connection keeps a table.

/** `name` in lower case. */
export function encodeField(name: string, value: string): string {
  return `\0${encodeString(name)}${encodeString(value)}`
}

function encodeString(text: string): string {
  return encodeInteger(text.length, 7, 0) + text
}

/** RFC 7541 section 5.1; `first` are the bits before the prefix. */
export function encodeInteger(value: number, prefix: number, first: number): string {
  const most = (1 << prefix) - 1
  if (value < most) return String.fromCharCode(first | value)
  let text = String.fromCharCode(first | most)
  let rest = value - most
  while (rest >= 128) {
    text += String.fromCharCode((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  return text + String.fromCharCode(rest)
}

export function encodeStatus(status: number): string {
  return encodeField(':status', String(status))
}

/** `fields` are lines `Name: value\r\n` or `Name:\r\n`, their names in either case. */
export function encodeFieldLines(fields: string): string {
  let block = ''
  let position = 0
  while (position < fields.length) {
    const end = fields.indexOf('\r\n', position)
    const colon = fields.indexOf(':', position)
    block += encodeField(fields.slice(position, colon).toLowerCase(), fields.slice(Math.min(colon + 2, end), end))
    position = end + 2
  }
  return block
}
