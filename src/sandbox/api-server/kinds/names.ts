// The string formats of the Kubernetes API. Every function answers what is wrong with a string, in the words of the real API server; nothing when it is right.
import { isIP } from 'node:net'

export type NameCheck = (name: string) => readonly string[]

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const WILDCARD = `\\*\\.${SUBDOMAIN}`
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const LABEL_VALUE = `(${QUALIFIED})?`
const CONFIG_KEY = '[-._a-zA-Z0-9]+'

function expression(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`)
}

const labelExpression = expression(LABEL)
const label1035Expression = expression(LABEL_1035)
const qualifiedExpression = expression(QUALIFIED)
const configKeyExpression = expression(CONFIG_KEY)

function mismatch(text: string, pattern: string, ...examples: readonly string[]): string {
  return `${text} (e.g. ${examples.map(example => `'${example}', `).join(' or ')}regex used for validation is '${pattern}')`
}

function tooLong(value: string, most: number): string[] {
  return Buffer.byteLength(value) > most ? [`must be no more than ${most} characters`] : []
}

/** The label rule, dot by dot: a nested quantifier over hostile input would take exponential time in a backtracking engine. */
function isSubdomain(value: string): boolean {
  return value.split('.').every(label => labelExpression.test(label))
}

export function dns1123Label(value: string): string[] {
  const wrong = tooLong(value, 63)
  if (!labelExpression.test(value)) {
    wrong.push(mismatch("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character", LABEL, 'my-name', '123-abc'))
  }
  return wrong
}

export function dns1123Subdomain(value: string): string[] {
  const wrong = tooLong(value, 253)
  if (!isSubdomain(value)) {
    wrong.push(mismatch("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character", SUBDOMAIN, 'example.com'))
  }
  return wrong
}

export function dns1035Label(value: string): string[] {
  const wrong = tooLong(value, 63)
  if (!label1035Expression.test(value)) {
    wrong.push(mismatch("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character", LABEL_1035, 'my-name', 'abc-123'))
  }
  return wrong
}

export function wildcardSubdomain(value: string): string[] {
  const wrong = tooLong(value, 253)
  if (!value.startsWith('*.') || !isSubdomain(value.slice(2))) {
    wrong.push(
      mismatch("a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character", WILDCARD, '*.example.com'),
    )
  }
  return wrong
}

const QUALIFIED_TEXT = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"

/** Label keys, annotation keys (lower-cased by the caller), finalizers. */
export function qualifiedName(value: string): string[] {
  const parts = value.split('/')
  const [first = '', second] = parts
  if (parts.length > 2) return [`a valid label key ${mismatch(QUALIFIED_TEXT, QUALIFIED, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
  const wrong: string[] = []
  if (second !== undefined) {
    if (first === '') wrong.push('prefix part must be non-empty')
    else wrong.push(...dns1123Subdomain(first).map(message => `prefix part ${message}`))
  }
  const name = second ?? first
  if (name === '') wrong.push('name part must be non-empty')
  else wrong.push(...tooLong(name, 63).map(message => `name part ${message}`))
  if (!qualifiedExpression.test(name)) wrong.push(`name part ${mismatch(QUALIFIED_TEXT, QUALIFIED, 'MyName', 'my.name', '123-abc')}`)
  return wrong
}

export function labelValue(value: string): string[] {
  const wrong = tooLong(value, 63)
  if (value !== '' && !qualifiedExpression.test(value)) {
    wrong.push(
      mismatch("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character", LABEL_VALUE, 'MyValue', 'my_value', '12345'),
    )
  }
  return wrong
}

export function configKey(value: string): string[] {
  const wrong = tooLong(value, 253)
  if (!configKeyExpression.test(value)) wrong.push(mismatch("a valid config key must consist of alphanumeric characters, '-', '_' or '.'", CONFIG_KEY, 'key.name', 'KEY_NAME', 'key-name'))
  if (value === '.') wrong.push("must not be '.'")
  else if (value === '..') wrong.push("must not be '..'")
  else if (value.startsWith('..')) wrong.push("must not start with '..'")
  return wrong
}

export function portName(value: string): string[] {
  const wrong: string[] = []
  if (value.length > 15) wrong.push('must be no more than 15 characters')
  if (!/^[-a-z0-9]+$/.test(value)) wrong.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(value)) wrong.push('must contain at least one letter (a-z)')
  if (value.includes('--')) wrong.push('must not contain consecutive hyphens')
  if (value.startsWith('-') || value.endsWith('-')) wrong.push('must not begin or end with a hyphen')
  return wrong
}

export function portNumber(value: number): string[] {
  return value >= 1 && value <= 65_535 ? [] : ['must be between 1 and 65535, inclusive']
}

export function ipAddress(value: string): string[] {
  return isIP(value) === 0 ? ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'] : []
}

export function pathSegment(value: string): string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`]
  return ['/', '%'].filter(illegal => value.includes(illegal)).map(illegal => `may not contain '${illegal}'`)
}

/** A generateName may end with a dash: what it begins with counts. */
export function asPrefix(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -1)}a` : name
}
