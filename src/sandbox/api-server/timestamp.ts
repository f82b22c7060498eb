// Times as metadata carries them: RFC 3339 in UTC, whole seconds.

export function timestamp(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z')
}
