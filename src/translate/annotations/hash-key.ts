// What requests are hashed by: our own short form, and the texts with nginx variables of ingress-nginx. Either comes to a list of parts.
import type { HashPart } from '../../model/scheduler.ts'

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/
const LONGEST = 512

/** `host`, `uri`, `path`, `source`, `header:NAME`, `cookie:NAME`; undefined for anything else. */
export function parseHashKey(text: string): readonly HashPart[] | undefined {
  const [kind = '', name] = splitOnce(text.trim(), ':')
  if (name === undefined) return kind === 'host' || kind === 'uri' || kind === 'path' || kind === 'source' ? [{ kind }] : undefined
  if (!TOKEN.test(name)) return undefined
  if (kind === 'header') return [{ kind, name: name.toLowerCase() }]
  return kind === 'cookie' ? [{ kind, name }] : undefined
}

/** `$request_uri`, `$host$http_x_user`, `${cookie_session}-a`; or which variable is unknown. */
export function parseVariables(text: string): readonly HashPart[] | { readonly unknown: string } {
  if (text.length > LONGEST) return { unknown: text }
  const parts: HashPart[] = []
  let position = 0
  for (const match of text.matchAll(/\$(?:\{(\w+)\}|(\w+))/g)) {
    if (match.index > position) parts.push({ kind: 'text', text: text.slice(position, match.index) })
    const part = variable(match[1] ?? match[2] ?? '')
    if (part === undefined) return { unknown: match[0] }
    parts.push(part)
    position = match.index + match[0].length
  }
  const rest = text.slice(position)
  if (rest !== '') parts.push({ kind: 'text', text: rest })
  // A text without variables is the same for all requests: they would all go to one endpoint.
  return parts.every((part) => part.kind === 'text') ? { unknown: text } : parts
}

const VARIABLES: Readonly<Record<string, HashPart>> = {
  request_uri: { kind: 'uri' },
  uri: { kind: 'path' },
  document_uri: { kind: 'path' },
  args: { kind: 'query' },
  query_string: { kind: 'query' },
  host: { kind: 'host' },
  http_host: { kind: 'host' },
  remote_addr: { kind: 'source' },
  binary_remote_addr: { kind: 'source' },
  the_real_ip: { kind: 'source' },
}

function variable(name: string): HashPart | undefined {
  if (Object.hasOwn(VARIABLES, name)) return VARIABLES[name]
  const [kind = '', rest = ''] = splitOnce(name, '_')
  if (rest === '') return undefined
  if (kind === 'http') return { kind: 'header', name: rest.toLowerCase().replaceAll('_', '-') }
  if (kind === 'cookie') return { kind: 'cookie', name: rest }
  return kind === 'arg' ? { kind: 'argument', name: rest } : undefined
}

function splitOnce(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
