// The sequence of ip_vs_wrr as a function of the position in it, so that threads share nothing but a counter.
//
// The kernel walks the list again and again, taking those of weight >= cw, where cw falls from the highest weight by the greatest
// common divisor at each pass and starts over below 1. So with weights divided by the divisor, all passes with cw in
// (next lower weight, weight] are alike: the level. A position is first put into its level, then its rest modulo the level's
// members says the how-manieth member in list order it is.

export interface WeightedSequence {
  /** After so many positions it repeats; 0: there is nothing to take. Each index comes weight / gcd times. */
  readonly period: number
  /** Index at a position below `period`. O(log n). */
  at(position: number): number
}

export function weightedSequence(weights: readonly number[]): WeightedSequence {
  const divisor = weights.reduce(greatestCommonDivisor, 0)
  if (divisor === 0) return { period: 0, at: () => -1 }
  const levels = [...new Set(weights.filter((weight) => weight > 0))].sort((a, b) => b - a)
  const members = orderedSets(weights, levels)
  const starts = new Float64Array(levels.length)
  let period = 0
  for (const [i, level] of levels.entries()) {
    starts[i] = period
    period += members.sizeOf(i) * ((level - (levels[i + 1] ?? 0)) / divisor)
  }
  return {
    period,
    at(position) {
      let low = 0
      let high = starts.length - 1
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if ((starts[middle] ?? 0) <= position) low = middle
        else high = middle - 1
      }
      return members.select(low, (position - (starts[low] ?? 0)) % members.sizeOf(low))
    },
  }
}

export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

interface OrderedSets {
  sizeOf(level: number): number
  /** The `rank`th index, from 0, of those whose weight is at least the level's. */
  select(level: number, rank: number): number
}

/** One tree of counts per level, each sharing with the one before all but the paths to what it adds: n log n nodes in all. */
function orderedSets(weights: readonly number[], levels: readonly number[]): OrderedSets {
  let width = 1
  while (width < weights.length) width *= 2
  const nodes = weights.length * (Math.log2(width) + 1) + 1
  const left = new Int32Array(nodes)
  const right = new Int32Array(nodes)
  const counts = new Int32Array(nodes)
  let used = 1

  function withIndex(node: number, index: number, size: number): number {
    const copy = used++
    left[copy] = left[node] ?? 0
    right[copy] = right[node] ?? 0
    counts[copy] = (counts[node] ?? 0) + 1
    if (size > 1) {
      const half = size / 2
      if (index < half) left[copy] = withIndex(left[copy] ?? 0, index, half)
      else right[copy] = withIndex(right[copy] ?? 0, index - half, half)
    }
    return copy
  }

  const byWeight = new Map<number, number[]>(levels.map((level) => [level, []]))
  for (const [index, weight] of weights.entries()) byWeight.get(weight)?.push(index)
  let root = 0
  const roots = Int32Array.from(levels, (level) => {
    for (const index of byWeight.get(level) ?? []) root = withIndex(root, index, width)
    return root
  })

  return {
    sizeOf: (level) => counts[roots[level] ?? 0] ?? 0,
    select(level, rank) {
      let node = roots[level] ?? 0
      let first = 0
      let rest = rank
      for (let half = width / 2; half >= 1; half /= 2) {
        const below = counts[left[node] ?? 0] ?? 0
        if (rest < below) node = left[node] ?? 0
        else {
          rest -= below
          first += half
          node = right[node] ?? 0
        }
      }
      return first
    },
  }
}
