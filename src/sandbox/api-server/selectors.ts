// Label and field selectors: parsing with the API server's error texts, matching. Pure.
import { ApiError } from './api-error.ts'
import type { Kind, KubeObject, LegacyVersion } from './kind.ts'

export type Match = (object: KubeObject) => boolean

interface Requirement {
  readonly key: string
  readonly operator: 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'
  readonly values: readonly string[]
}

/** Requirements in one selector, and its length, that are taken; more is an attack on the parser. */
const maxSelectorLength = 16 * 1024

function bad(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message)
}

type Token = { readonly kind: 'identifier' | 'symbol' | 'end'; readonly text: string }

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  const pattern = /\s*(==|!=|[=!,()<>]|[^\s=!,()<>]+)/gy
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text)
    const token = match?.[1]
    if (token === undefined) break
    tokens.push({ kind: /^[=!,()<>]/.test(token) ? 'symbol' : 'identifier', text: token })
  }
  return [...tokens, { kind: 'end', text: '' }]
}

/** Parses as k8s.io/apimachinery labels.Parse; throws ApiError 400 with its texts. */
export function parseLabelSelector(text: string | undefined): Match {
  if (text === undefined || text.trim() === '') return () => true
  if (text.length > maxSelectorLength) throw bad(`selector is longer than ${maxSelectorLength} characters`)
  const tokens = tokenize(text)
  let at = 0
  const peek = (): Token => tokens[at] ?? { kind: 'end', text: '' }
  const take = (): Token => tokens[at++] ?? { kind: 'end', text: '' }
  const requirements: Requirement[] = []

  function values(): string[] {
    const open = take()
    if (open.text !== '(') throw bad(`found '${open.text}' expected: '('`)
    const found: string[] = []
    for (;;) {
      const token = take()
      if (token.kind === 'identifier') {
        found.push(token.text)
        const next = take()
        if (next.text === ')') return found
        if (next.text !== ',') throw bad(`found '${next.text}', expected: ',' or ')'`)
      } else if (token.text === ')') return found.length === 0 ? [''] : [...found, '']
      else if (token.text === ',') found.push('')
      else throw bad(`found '${token.text}', expected: ',', ')' or identifier`)
    }
  }

  function requirement(): Requirement {
    const negated = peek().text === '!'
    if (negated) take()
    const key = take()
    if (key.kind !== 'identifier') throw bad(`found '${key.text}', expected: identifier`)
    checkLabelKey(key.text)
    if (negated) return { key: key.text, operator: '!', values: [] }
    const next = peek()
    if (next.kind === 'end' || next.text === ',') return { key: key.text, operator: 'exists', values: [] }
    const operator = take().text
    if (operator === 'in' || operator === 'notin') return { key: key.text, operator, values: checkLabelValues(key.text, values()) }
    if (operator === '=' || operator === '==' || operator === '!=' || operator === '<' || operator === '>') {
      const value = peek().kind === 'identifier' ? take().text : ''
      if (value === '' && peek().kind === 'symbol' && peek().text !== ',') throw bad(`found '${peek().text}', expected: identifier`)
      checkLabelValues(key.text, [value])
      if (operator === '>' || operator === '<') {
        if (!/^-?\d+$/.test(value)) throw bad(`values[0][${key.text}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`)
        return { key: key.text, operator: operator === '>' ? 'gt' : 'lt', values: [value] }
      }
      return { key: key.text, operator: operator === '!=' ? 'notin' : 'in', values: [value] }
    }
    throw bad(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`)
  }

  for (;;) {
    const token = peek()
    if (token.kind !== 'identifier' && token.text !== '!') throw bad(`found '${token.text}', expected: !, identifier, or 'end of string'`)
    requirements.push(requirement())
    const next = take()
    if (next.kind === 'end') break
    if (next.text !== ',') throw bad(`found '${next.text}', expected: ',' or 'end of string'`)
    const after = peek()
    if (after.kind !== 'identifier' && after.text !== '!') throw bad(`found '${after.text}', expected: identifier after ','`)
  }
  return (object) => matchesLabels(object.metadata.labels ?? {}, requirements)
}

function matchesLabels(labels: Readonly<Record<string, string>>, requirements: readonly Requirement[]): boolean {
  return requirements.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined
    switch (operator) {
      case 'exists': return value !== undefined
      case '!': return value === undefined
      case 'in': return value !== undefined && values.includes(value)
      case 'notin': return value === undefined || !values.includes(value)
      case 'gt': return value !== undefined && /^-?\d+$/.test(value) && Number(value) > Number(values[0])
      case 'lt': return value !== undefined && /^-?\d+$/.test(value) && Number(value) < Number(values[0])
    }
  })
}

const qualifiedName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/

function checkLabelKey(key: string): void {
  const [prefix, name] = key.includes('/') ? [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)] : ['', key]
  const wrong = name.length > 63 || !qualifiedName.test(name) || (key.includes('/') && (prefix.length > 253 || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(prefix)))
  if (wrong) {
    throw bad(`unable to parse requirement: <nil>: Invalid value: ${JSON.stringify(key)}: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`)
  }
}

function checkLabelValues(key: string, values: string[]): string[] {
  for (const [at, value] of values.entries()) {
    if (value !== '' && (value.length > 63 || !qualifiedName.test(value))) {
      throw bad(`unable to parse requirement: values[${at}][${key}]: Invalid value: ${JSON.stringify(value)}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`)
    }
  }
  return values
}

/** `a=b,c!=d` over metadata.name, metadata.namespace and what the kind names; throws ApiError 400 for others. */
export function parseFieldSelector(text: string | undefined, kind: Kind, legacy?: LegacyVersion): Match {
  if (text === undefined || text.trim() === '') return () => true
  if (text.length > maxSelectorLength) throw bad(`selector is longer than ${maxSelectorLength} characters`)
  const terms = splitTerms(text).filter((term) => term !== '').map((term) => {
    const match = /^((?:\\.|[^\\=!])*)(==|!=|=)(.*)$/s.exec(term)
    if (match === null) throw bad(`invalid selector: '${text}'; can't understand '${term}'`)
    const [, label = '', operator = '', escaped = ''] = match
    const value = escaped.replaceAll(/\\([\\,=])/g, '$1')
    const name = legacy?.fieldLabels?.[label] ?? label
    const read = fieldReader(kind, name)
    if (read === undefined) throw bad(`field label not supported: ${label}`)
    return { read, value, negated: operator === '!=' }
  })
  return (object) => terms.every(({ read, value, negated }) => (read(object) === value) !== negated)
}

function fieldReader(kind: Kind, label: string): ((object: KubeObject) => string) | undefined {
  if (label === 'metadata.name') return (object) => object.metadata.name
  if (label === 'metadata.namespace' && kind.namespaced) return (object) => object.metadata.namespace ?? ''
  return Object.hasOwn(kind.fields, label) ? kind.fields[label] : undefined
}

function splitTerms(text: string): string[] {
  const terms: string[] = []
  let term = ''
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === '\\') {
      term += character + text.charAt(at + 1)
      at += 1
    } else if (character === ',') {
      terms.push(term)
      term = ''
    } else term += character
  }
  return [...terms, term]
}
