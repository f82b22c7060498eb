// Looks at the manifest files again and again, and tells when they changed and are still: an editor may write in steps.
// Polling by size and time costs a few system calls and works on every file system, unlike change notifications.
import { statSync } from 'node:fs'
import type { Clock } from '../../base/clock.ts'
import { manifestFiles } from './manifest-file.ts'

const EVERY_MS = 250

/** `changed` is called once for a change that has lasted one look. The answer stops it. */
export function watchManifests(paths: readonly string[], clock: Clock, changed: () => void): () => void {
  let known = signature(paths)
  let previous = known
  const look = (): void => {
    const current = signature(paths)
    if (current !== known && current === previous) {
      known = current
      changed()
    }
    previous = current
    cancel = clock.after(EVERY_MS, look)
  }
  let cancel = clock.after(EVERY_MS, look)
  return () => cancel()
}

function signature(paths: readonly string[]): string {
  return manifestFiles(paths, () => undefined).map((file) => {
    const facts = statSync(file, { throwIfNoEntry: false })
    return `${file} ${facts?.ino} ${facts?.size} ${facts?.mtimeMs}`
  }).join('\n')
}
