// Which Narthex this is.
import { readFileSync } from 'node:fs'

/** From package.json, which stands two folders above in a checkout and in the published package alike. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown'
}
