// Reads Kubernetes objects from YAML files and directories, for the offline commands.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { loadAll } from 'js-yaml'
import { CommandError } from './command.ts'

const LARGEST_FILE = 32 * 1024 * 1024

/** All objects of the files, `List` kinds taken apart. A directory gives its .yaml, .yml and .json files, not its subdirectories, as kubectl does. Throws CommandError naming the file. */
export function readObjects(paths: readonly string[]): unknown[] {
  return paths.flatMap(filesOf).flatMap(objectsOf)
}

function filesOf(path: string): string[] {
  const facts = statSync(path, { throwIfNoEntry: false })
  if (facts === undefined) throw new CommandError(`${path}: no such file or directory`)
  if (!facts.isDirectory()) return [path]
  return readdirSync(path)
    .filter((name) => /\.(ya?ml|json)$/.test(name))
    .sort()
    .map((name) => join(path, name))
}

function objectsOf(file: string): unknown[] {
  const size = statSync(file).size
  if (size > LARGEST_FILE) throw new CommandError(`${file}: ${size} bytes, more than the ${LARGEST_FILE} that are read`)
  let documents: unknown[]
  try {
    documents = loadAll(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new CommandError(`${file}: not valid YAML: ${error instanceof Error ? error.message : String(error)}`)
  }
  return documents.flatMap((document, index) => {
    if (document === null || document === undefined) return []
    if (typeof document !== 'object' || !('kind' in document)) throw new CommandError(`${file}: document ${index + 1} is not a Kubernetes object: it has no kind`)
    const items: unknown = 'items' in document ? document.items : undefined
    return String(document.kind).endsWith('List') && Array.isArray(items) ? items : [document]
  })
}
