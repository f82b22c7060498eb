// The weights annotation: `10.0.0.1=5, pod:web-canary-=1, node:worker-1=3, zone:eu-1a=0, *=2`.
import { isIP } from 'node:net'
import { LARGEST_WEIGHT } from '../../model/scheduler.ts'
import type { WeightRule } from '../balancing.ts'

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
