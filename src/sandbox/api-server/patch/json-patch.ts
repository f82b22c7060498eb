// RFC 6902 JSON patch with RFC 6901 pointers, with the error texts of evanphx/json-patch as the API server passes them on.
import { copyJson, equalJson, isJsonObject, setMember } from '../json-value.ts'
import type { JsonObject } from '../json-value.ts'
import type { Json } from '../kind.ts'

/** Operations in one patch that the API server takes. */
const maxOperations = 10_000

/** The patch is no patch (400), or does not fit the document (422); `kind` says which. */
export class JsonPatchError extends Error {
  readonly kind: 'malformed' | 'inapplicable'

  constructor(kind: 'malformed' | 'inapplicable', message: string) {
    super(message)
    this.name = 'JsonPatchError'
    this.kind = kind
  }
}

export function applyJsonPatch(document: Json, patch: unknown): Json {
  if (!Array.isArray(patch)) throw new JsonPatchError('malformed', 'json: cannot unmarshal object into Go value of type jsonpatch.Patch')
  if (patch.length > maxOperations) throw new JsonPatchError('malformed', `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`)
  const root: { [field: string]: Json } = { document: copyJson(document) }
  for (const operation of patch) applyOperation(root, operation)
  return root['document'] ?? null
}

function applyOperation(root: JsonObject, operation: unknown): void {
  if (!isJsonObject(operation) || typeof operation['op'] !== 'string') throw new JsonPatchError('malformed', 'Unexpected kind: unknown')
  const path = pointer(operation['path'], 'path')
  switch (operation['op']) {
    case 'add':
      return add(root, path, needValue(operation))
    case 'remove':
      remove(root, path, 'remove')
      return
    case 'replace': {
      const value = needValue(operation)
      const { parent, key } = locate(root, path, 'replace')
      if (read(parent, key) === undefined) throw missingKey('replace', path)
      write(parent, key, value)
      return
    }
    case 'move': {
      const from = pointer(operation['from'], 'from')
      if (path.length > from.length && from.every((part, index) => path[index] === part)) throw new JsonPatchError('inapplicable', `Unable to move ${text(from)} into its own child`)
      return add(root, path, remove(root, from, 'move'))
    }
    case 'copy': {
      const from = pointer(operation['from'], 'from')
      const { parent, key } = locate(root, from, 'copy')
      const value = read(parent, key)
      if (value === undefined) throw missingKey('copy', from)
      return add(root, path, copyJson(value))
    }
    case 'test': {
      const { parent, key } = locate(root, path, 'test')
      const expected = operation['value'] ?? null
      if (!equalJson(read(parent, key) ?? null, expected)) throw new JsonPatchError('inapplicable', `testing value ${text(path)} failed: test failed`)
      return
    }
    default:
      throw new JsonPatchError('malformed', `Unexpected kind: ${operation['op']}`)
  }
}

function needValue(operation: JsonObject): Json {
  const value = operation['value']
  if (value === undefined) throw new JsonPatchError('malformed', 'operation missing value field: missing value')
  return copyJson(value)
}

/** RFC 6901: an array of unescaped parts; the empty pointer is the whole document. */
function pointer(value: Json | undefined, name: string): string[] {
  if (typeof value !== 'string') throw new JsonPatchError('malformed', `operation missing ${name} field: missing value`)
  if (value === '') return ['document']
  if (!value.startsWith('/')) throw new JsonPatchError('inapplicable', `operation does not apply: doc is missing path: ${JSON.stringify(value)}: missing value`)
  return ['document', ...value.slice(1).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))]
}

function text(path: readonly string[]): string {
  return path.slice(1).map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function locate(root: JsonObject, path: readonly string[], operation: string): { parent: Json[] | JsonObject; key: string } {
  let at: Json = root
  for (const part of path.slice(0, -1)) {
    const next: Json | undefined = Array.isArray(at) || isJsonObject(at) ? read(at, part) : undefined
    if (next === undefined || next === null || typeof next !== 'object') {
      throw new JsonPatchError('inapplicable', `${operation} operation does not apply: doc is missing path: ${JSON.stringify(text(path))}: missing value`)
    }
    at = next
  }
  if (!Array.isArray(at) && !isJsonObject(at)) throw new JsonPatchError('inapplicable', `${operation} operation does not apply: doc is missing path: ${JSON.stringify(text(path))}: missing value`)
  return { parent: at, key: path.at(-1) ?? '' }
}

function missingKey(operation: string, path: readonly string[]): JsonPatchError {
  return new JsonPatchError('inapplicable', `${operation} operation does not apply: doc is missing key: ${text(path)}: missing value`)
}

function index(key: string, length: number): number | undefined {
  if (!/^(0|[1-9]\d{0,8})$/.test(key)) return undefined
  const at = Number(key)
  return at < length ? at : undefined
}

function read(parent: Json[] | JsonObject, key: string): Json | undefined {
  if (!Array.isArray(parent)) return Object.hasOwn(parent, key) ? parent[key] : undefined
  const at = index(key, parent.length)
  return at === undefined ? undefined : parent[at]
}

function write(parent: Json[] | JsonObject, key: string, value: Json): void {
  if (!Array.isArray(parent)) return setMember(parent, key, value)
  const at = index(key, parent.length)
  if (at !== undefined) parent[at] = value
}

function add(root: JsonObject, path: readonly string[], value: Json): void {
  const { parent, key } = locate(root, path, 'add')
  if (!Array.isArray(parent)) return setMember(parent, key, value)
  const at = key === '-' ? parent.length : index(key, parent.length + 1)
  if (at === undefined) throw new JsonPatchError('inapplicable', `add operation does not apply: doc is missing path: ${JSON.stringify(text(path))}: Unable to access invalid index: ${key}: invalid index referenced`)
  parent.splice(at, 0, value)
}

function remove(root: JsonObject, path: readonly string[], operation: string): Json {
  const { parent, key } = locate(root, path, operation)
  const value = read(parent, key)
  if (value === undefined) throw missingKey(operation, path)
  if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else delete parent[key]
  return value
}
