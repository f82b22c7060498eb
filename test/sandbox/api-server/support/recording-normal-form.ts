// What differs between two runs by nature, taken out: identities, versions, times, addresses, generated names, white space of columns.

const rules: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uid>'],
  [/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z/g, '<time>'],
  [/\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d+ \+0000/g, '<time>'],
  [/(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} \+0000/g, '<time>'],
  // The hash of a pod template: a real cluster hashes Go's memory.
  [/\b(web|made)-[a-z0-9]{9,10}(?=$|[^a-z0-9])/g, '$1-<hash>'],
  [/(pod-template-hash"?[=:]\s*"?)[a-z0-9]{9,10}\b/g, '$1<hash>'],
  [/\bkube-api-access-[a-z0-9]{5}\b/g, 'kube-api-access-<suffix>'],
  [/(?<=\b[a-z]+(-<hash>)?)\.[0-9a-f]{16}\b/g, '.<event>'],
  [/\b10\.96\.\d{1,3}\.\d{1,3}\b/g, '<cluster-ip>'],
  [/\b(?!30080)3[0-2]\d{3}\b(?=\/|\b)/g, '<node-port>'],
  [/\/tmp\/(LIVE|MERGED)-\d+\//g, '$1/'],
]

function text(value: string): string {
  return rules.reduce((normal, [pattern, name]) => normal.replaceAll(pattern, name), value)
}

const age = /(?<![\w.<-])\d+(s|m|m\d+s|h)(?![\w>-])/g

/** Text that a user sees: ages have no place in it, columns are as wide as their content. */
export function normalText(value: string): string {
  return text(value).replaceAll(/("?resourceVersion"?:) "?\d+"?/g, '$1 <version>').replaceAll(age, '<age>').split('\n').map((line) => line.replaceAll(/ {2,}/g, '  ').trimEnd()).join('\n').trimEnd()
}

/** JSON of an answer: members that name versions and tokens by their name, strings by their form. */
export function normalJson(value: unknown, name = ''): unknown {
  // Entries are in the order of their times, which differ.
  if (Array.isArray(value) && name === 'managedFields') return value.map((entry) => normalJson(entry)).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  if (Array.isArray(value)) return name === 'cells' ? value.map((cell) => (typeof cell === 'string' ? normalText(cell) : cell)) : value.map((item) => normalJson(item))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null).map(([key, member]) => [text(key), normalJson(member, key)]))
  }
  if (name === 'resourceVersion') return '<version>'
  if (name === 'continue' && typeof value === 'string') return normalToken(value)
  if (name === 'pod-template-hash') return '<hash>'
  if (name === 'tls.crt' || name === 'tls.key') return '<pem>'
  if (name === 'nodePort' && value !== 30_080) return '<node-port>'
  return typeof value === 'string' ? text(value) : value
}

function normalToken(token: string): unknown {
  const parsed = JSON.parse(Buffer.from(token, 'base64url').toString()) as Record<string, unknown>
  return { ...parsed, rv: '<version>' }
}

/** Without what varies from run to run: hashes and random time limits. */
export function normalPath(path: string): string {
  const sorted = path.replace(/(fieldSelector=)([^&]*)/, (_, label: string, terms: string) => label + terms.split('%2C').toSorted().join('%2C'))
  return sorted.replace(/([?&])hash=[0-9A-F]+/, '$1hash=<hash>').replace(/([?&]resourceVersion=)\d\d+/, '$1<version>').replace(/([?&]timeoutSeconds=)\d{3,}/, '$1<seconds>').replaceAll(/involvedObject\.uid%3D[0-9a-f-]{36}/g, 'involvedObject.uid%3D<uid>').replaceAll(/(%2D|-)[a-z0-9]{9,10}(?=-|%2C|&|$|\/)/g, '-<hash>')
}

export interface Difference {
  readonly command: string
  /** `exit`, `stdout`, `exchange 2 body.metadata.generation`. */
  readonly where: string
  readonly recorded: unknown
  readonly actual: unknown
}

/** Paths at which two normal forms differ, at most 30. */
export function differences(recorded: unknown, actual: unknown, path: string): { where: string; recorded: unknown; actual: unknown }[] {
  if (recorded === actual) return []
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
  if (!isObject(recorded) || !isObject(actual) || Array.isArray(recorded) !== Array.isArray(actual)) return [{ where: path, recorded, actual }]
  const keys = new Set([...Object.keys(recorded), ...Object.keys(actual)])
  return [...keys].flatMap((key) => differences(recorded[key], actual[key], `${path}.${key}`)).slice(0, 30)
}
