// Members that a JSON text names twice: JSON.parse keeps the last one and tells nobody. Pure.

/** Duplicates that are reported at most. */
const maxReported = 100

/** `duplicate field "spec.host"` for members that a JSON text names twice; the text must be valid JSON. */
export function duplicateFields(text: string): string[] {
  const found: string[] = []
  const stack: { readonly names: Set<string> | undefined; readonly path: string; key: string; index: number }[] = []
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g
  let expectKey = false
  for (const [part] of text.matchAll(token)) {
    const top = stack.at(-1)
    if (part === '{' || part === '[') {
      const path = top === undefined ? '' : top.names === undefined ? `${top.path}[${top.index}]` : top.path === '' ? top.key : `${top.path}.${top.key}`
      stack.push({ names: part === '{' ? new Set() : undefined, path, key: '', index: 0 })
      expectKey = part === '{'
    } else if (part === '}' || part === ']') {
      stack.pop()
      expectKey = false
    } else if (part === ',') {
      if (top !== undefined) top.index += 1
      expectKey = top?.names !== undefined
    } else if (part === ':') expectKey = false
    else if (expectKey && top?.names !== undefined) {
      const name: unknown = JSON.parse(part)
      top.key = String(name)
      if (top.names.has(top.key) && found.length < maxReported) found.push(`duplicate field "${top.path === '' ? top.key : `${top.path}.${top.key}`}"`)
      top.names.add(top.key)
    }
  }
  return [...new Set(found)]
}
