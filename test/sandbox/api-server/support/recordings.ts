// Reads the recordings of a real API server; knows nothing of what they mean.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Exchange {
  readonly request: { readonly method: string; readonly path: string; readonly accept?: string; readonly contentType?: string; readonly body?: unknown; readonly bodyBase64?: string }
  readonly response: {
    readonly status: number
    readonly contentType?: string
    readonly body?: unknown
    readonly bodyBase64?: string
    /** Events of a watch. */
    readonly lines?: readonly unknown[] | undefined
    readonly warning?: unknown
  }
}

export interface Recording {
  readonly name: string
  readonly command: string
  readonly stdin?: string | null
  /** null: a watch that was stopped from outside. */
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
  readonly exchanges: readonly Exchange[]
}

export const recordingsFolder = fileURLToPath(new URL('../../../../../shared/apiserver-recordings/', import.meta.url))

/** In their order; undefined when the folder is not there. */
export function readRecordings(): readonly Recording[] | undefined {
  if (!existsSync(recordingsFolder)) return undefined
  return readdirSync(recordingsFolder)
    .filter((file) => /^\d{3}-.*\.json$/.test(file))
    .sort()
    .map((file) => ({ ...(JSON.parse(readFileSync(`${recordingsFolder}${file}`, 'utf8')) as Recording), name: file.replace(/\.json$/, '') }))
}
