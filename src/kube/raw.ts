// Reading of untrusted JSON: a field of the wrong type is as good as absent. Knows nothing of Kubernetes kinds.

export type Raw = Readonly<Record<string, unknown>>

const NOTHING: Raw = Object.freeze({})

/** The value if it is a JSON object, else an empty one. */
export function record(value: unknown): Raw {
  return isRecord(value) ? value : NOTHING
}

export function isRecord(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Elements that are JSON objects; anything else in the list is dropped. */
export function records(value: unknown): readonly Raw[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}

export function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

/** A port number, else undefined. */
export function portNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536 ? value : undefined
}

/** A port number or a port name, else undefined. */
export function portReference(value: unknown): number | string | undefined {
  return portNumber(value) ?? optionalText(value)
}

/** String values only. `keep` narrows the keys. */
export function textMap(value: unknown, keep: (key: string) => boolean = () => true): Readonly<Record<string, string>> {
  const out: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [key, item] of Object.entries(record(value))) if (typeof item === 'string' && keep(key)) out[key] = item
  return out
}

/** RFC 3339 time to milliseconds since the epoch; 0 when absent or unreadable. */
export function time(value: unknown): number {
  const ms = Date.parse(text(value))
  return Number.isNaN(ms) ? 0 : ms
}
