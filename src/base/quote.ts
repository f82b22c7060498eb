// A user's value inside a message.

/** Quoted, without control characters, cut when it is long. */
export function quote(value: string): string {
  const shown = value.length > 120 ? `${value.slice(0, 120)}…` : value
  return JSON.stringify(shown)
}
