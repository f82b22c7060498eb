// Weights of endpoints as an annotation gives them: `10.0.0.1=5, pod:web-canary-=1, node:worker-1=3, zone:eu-1a=0, *=2`.
import { isIP } from 'node:net'
import { reuse } from '../base/reuse.ts'
import type { Endpoint } from './routing.ts'
import { LARGEST_WEIGHT } from './scheduler.ts'

/** The first rule that an endpoint fits gives its weight; without one it weighs 1. */
export interface WeightRule {
  readonly kind: 'address' | 'pod' | 'node' | 'zone' | 'any'
  /** An IP address or `address:port`; the beginning of a pod's name; a node; a zone. */
  readonly value: string
  readonly weight: number
}

const MOST_RULES = 256

/** Entries that can't be read are left out and named in `bad`; those beyond the 256th as well. */
export function parseWeights(text: string): { readonly rules: readonly WeightRule[]; readonly bad: readonly string[] } {
  const rules: WeightRule[] = []
  const bad: string[] = []
  for (const entry of text.split(',')) {
    const trimmed = entry.trim()
    if (trimmed === '') continue
    const rule = rules.length < MOST_RULES ? parseRule(trimmed) : undefined
    if (rule === undefined) bad.push(trimmed)
    else rules.push(rule)
  }
  return { rules, bad }
}

function parseRule(entry: string): WeightRule | undefined {
  const at = entry.lastIndexOf('=')
  const [selector, number] = [entry.slice(0, at).trim(), entry.slice(at + 1).trim()]
  if (at < 1 || !/^\d{1,5}$/.test(number) || Number(number) > LARGEST_WEIGHT) return undefined
  const weight = Number(number)
  if (selector === '*') return { kind: 'any', value: '', weight }
  const [, kind, value] = /^(pod|node|zone):(\S{1,253})$/.exec(selector) ?? []
  if (value !== undefined && (kind === 'pod' || kind === 'node' || kind === 'zone')) return { kind, value, weight }
  return isEndpoint(selector) ? { kind: 'address', value: selector, weight } : undefined
}

/** An address, or one with a port as endpoint ids have it. */
function isEndpoint(selector: string): boolean {
  if (isIP(selector) !== 0) return true
  const [, bracketed, plain] = /^(?:\[(.+)\]|([^:]+)):\d{1,5}$/.exec(selector) ?? []
  return bracketed === undefined ? plain !== undefined && isIP(plain) === 4 : isIP(bracketed) === 6
}

export function withWeights(endpoints: readonly Endpoint[], rules: readonly WeightRule[] | undefined): readonly Endpoint[] {
  if (rules === undefined) return endpoints
  return endpoints.map((endpoint) => reuse(endpoint, { ...endpoint, weight: rules.find((rule) => fits(rule, endpoint))?.weight ?? endpoint.weight }))
}

function fits({ kind, value }: WeightRule, { id, address, podName, nodeName, zone }: Endpoint): boolean {
  switch (kind) {
    case 'address':
      return address === value || id === value
    case 'pod':
      return podName !== undefined && podName.startsWith(value)
    case 'node':
      return nodeName === value
    case 'zone':
      return zone === value
    case 'any':
      return true
  }
}
