// The annotations of an object that are ours, by name without prefix.

export interface Entry {
  readonly prefix: string
  readonly name: string
  /** Trimmed. */
  readonly value: string
}

/** Entries under one of the prefixes; the first prefix that has a name wins. */
export function entriesOf(annotations: Readonly<Record<string, string>>, prefixes: readonly string[]): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>()
  const keys = Object.keys(annotations)
  for (const prefix of prefixes) {
    for (const key of keys) {
      if (!key.startsWith(prefix) || key[prefix.length] !== '/') continue
      const name = key.slice(prefix.length + 1)
      if (!entries.has(name)) entries.set(name, { prefix, name, value: (annotations[key] ?? '').trim() })
    }
  }
  return entries
}

/** As a field path of a diagnostic. */
export function fieldOf(entry: Entry): string {
  return `metadata.annotations[${entry.prefix}/${entry.name.slice(0, 63)}]`
}
