// Reads the files that the sandbox applies. A document that can't be read is a problem of its own; the others count.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { loadAll, YAMLException } from 'js-yaml'
import type { Json } from '../api-server/kind.ts'

export interface Manifest {
  readonly file: string
  /** From 1. */
  readonly document: number
  readonly value: { readonly [field: string]: Json }
  /** Changes with the content. */
  readonly hash: string
}

export interface ManifestProblem {
  readonly file: string
  readonly document: number | undefined
  readonly message: string
}

export interface Manifests {
  readonly files: readonly string[]
  readonly manifests: readonly Manifest[]
  readonly problems: readonly ManifestProblem[]
}

const LARGEST_FILE = 32 * 1024 * 1024
const MOST_FILES = 1000

/** A directory gives its .yaml, .yml and .json files by name, not its subdirectories, as `kubectl apply -f` does. */
export function readManifests(paths: readonly string[]): Manifests {
  const problems: ManifestProblem[] = []
  const manifests: Manifest[] = []
  const files = manifestFiles(paths, (file, message) => problems.push({ file, document: undefined, message }))
  for (const file of files) {
    try {
      if (statSync(file).size > LARGEST_FILE) throw new Error(`larger than the ${LARGEST_FILE} bytes that are read`)
      readDocuments(file, readFileSync(file, 'utf8'), manifests, problems)
    } catch (error) {
      problems.push({ file, document: undefined, message: readingError(error) })
    }
  }
  return { files, manifests, problems }
}

export function manifestFiles(paths: readonly string[], problem: (path: string, message: string) => void): readonly string[] {
  const files = new Set<string>()
  for (const path of paths) {
    try {
      const found = statSync(path).isDirectory() ? readdirSync(path).filter((name) => /\.(ya?ml|json)$/.test(name)).toSorted().map((name) => join(path, name)) : [path]
      for (const file of found) files.add(file)
    } catch (error) {
      problem(path, readingError(error))
    }
  }
  if (files.size > MOST_FILES) problem(paths.join(' '), `more than ${MOST_FILES} files; the rest is not read`)
  return [...files].slice(0, MOST_FILES)
}

function readDocuments(file: string, text: string, manifests: Manifest[], problems: ManifestProblem[]): void {
  let document = 0
  for (const { source, line } of splitDocuments(text)) {
    document++
    try {
      // Of one document; `load` would refuse an empty one.
      const [value] = loadAll(source)
      if (value === null || value === undefined) {
        // What stands between two marks and says nothing is no document to kubectl either.
        document--
        continue
      }
      for (const item of itemsOf(value)) manifests.push({ file, document, value: item, hash: createHash('sha256').update(JSON.stringify(item)).digest('hex') })
    } catch (error) {
      problems.push({ file, document, message: parsingError(error, line) })
    }
  }
}

/** By the marks at the start of a line: inside a document such a line can't be. */
function splitDocuments(text: string): readonly { readonly source: string; readonly line: number }[] {
  const documents: { source: string; line: number }[] = []
  let lines: string[] = []
  let start = 0
  text.split(/\r?\n/).forEach((line, index) => {
    if (!/^---(\s|$)/.test(line)) {
      lines.push(line)
      return
    }
    documents.push({ source: lines.join('\n'), line: start })
    lines = [line.slice(3)]
    start = index
  })
  documents.push({ source: lines.join('\n'), line: start })
  return documents
}

/** A `List` is taken apart. Throws where there is no object. */
function itemsOf(value: unknown): readonly Manifest['value'][] {
  if (!isObject(value)) throw new Error('not a Kubernetes object: it has no fields')
  const { kind, items } = value
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) return items.flatMap(itemsOf)
  return [value]
}

function isObject(value: unknown): value is Manifest['value'] {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parsingError(error: unknown, firstLine: number): string {
  if (!(error instanceof YAMLException)) return error instanceof Error ? error.message : String(error)
  const at = error.mark ? ` (line ${error.mark.line + firstLine + 1}, column ${error.mark.column + 1})` : ''
  return `not valid YAML: ${error.reason}${at}`
}

function readingError(error: unknown): string {
  if (error instanceof Error && 'code' in error) {
    if (error.code === 'ENOENT') return 'no such file or directory'
    if (error.code === 'EACCES') return 'may not be read'
  }
  return error instanceof Error ? error.message : String(error)
}
