// Endpoints from the highest weight to the lowest, the first of the list before its equals: the order of fo and ovf.
import type { Endpoint } from '../model/routing.ts'
import { undrained } from './turns.ts'

export function byWeight(endpoints: readonly Endpoint[]): Int32Array {
  const weightOf = (index: number): number => endpoints[index]?.weight ?? 0
  return undrained(endpoints).sort((a, b) => weightOf(b) - weightOf(a) || a - b)
}
