// Which of two routes that match a request wins, as a value and one comparator. Knows no lookup structure.
import type { PathType, Route } from '../model/routing.ts'

/** Lower is better in every field but `pathLength`. */
export interface Precedence {
  /** 0: the exact host. 1: a wildcard. 2: rules without a host. */
  readonly hostRank: 0 | 1 | 2
  readonly pathType: PathType
  readonly pathLength: number
  readonly createdAt: number
  /** `namespace/name` of the object, so that equal age has one winner. */
  readonly object: string
  /** Where in the object: the first of two equal paths of one Ingress wins. */
  readonly field: string
}

/** The fields in the order in which they decide; each answers negative when `a` wins. */
const DECISIONS: readonly (readonly [name: keyof Precedence, compare: (a: Precedence, b: Precedence) => number])[] = [
  ['hostRank', (a, b) => a.hostRank - b.hostRank],
  ['pathType', (a, b) => Number(a.pathType === 'Prefix') - Number(b.pathType === 'Prefix')],
  ['pathLength', (a, b) => b.pathLength - a.pathLength],
  ['createdAt', (a, b) => a.createdAt - b.createdAt],
  ['object', (a, b) => compareText(a.object, b.object)],
  ['field', (a, b) => a.field.localeCompare(b.field, 'en', { numeric: true })],
]

export function precedenceOf(host: string, route: Route): Precedence {
  const { object, createdAt, field } = route.source
  return {
    hostRank: hostRank(host),
    pathType: route.pathType,
    pathLength: route.path.length,
    createdAt,
    object: `${object.namespace}/${object.name}`,
    field,
  }
}

/** Negative: `a` wins over `b`, given that both match. */
export function comparePrecedence(a: Precedence, b: Precedence): number {
  for (const [, compare] of DECISIONS) {
    const order = compare(a, b)
    if (order !== 0) return order
  }
  return 0
}

/** The field that decides between two; undefined when they are equal in all. */
export function decidedBy(a: Precedence, b: Precedence): keyof Precedence | undefined {
  return DECISIONS.find(([, compare]) => compare(a, b) !== 0)?.[0]
}

export function hostRank(host: string): 0 | 1 | 2 {
  if (host === '*') return 2
  return host.startsWith('*.') ? 1 : 0
}

// Code units, as the API server sorts names: localeCompare would depend on the machine's language.
function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
