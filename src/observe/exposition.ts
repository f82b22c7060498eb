// The Prometheus text format (version 0.0.4). Knows no metric of ours.

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels?: Labels
  readonly value: number
}

export interface HistogramSample {
  readonly labels: Labels
  /** Not cumulative; one more than there are bounds. */
  readonly buckets: readonly number[]
  readonly sum: number
}

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** One family with its samples; nothing where there are none. */
export function family(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return ''
  const lines = samples.map(({ labels, value }) => `${name}${labelText(labels)} ${numberText(value)}\n`)
  return head(name, type, help) + lines.join('')
}

/** `bounds` are upper bounds in the unit of the name. */
export function histogram(name: string, help: string, bounds: readonly number[], samples: readonly HistogramSample[]): string {
  if (samples.length === 0) return ''
  const lines: string[] = []
  for (const { labels, buckets, sum } of samples) {
    let count = 0
    for (const [i, inBucket] of buckets.entries()) {
      count += inBucket
      const bound = bounds[i]
      lines.push(`${name}_bucket${labelText({ ...labels, le: bound === undefined ? '+Inf' : numberText(bound) })} ${count}\n`)
    }
    lines.push(`${name}_sum${labelText(labels)} ${numberText(sum)}\n${name}_count${labelText(labels)} ${count}\n`)
  }
  return head(name, 'histogram', help) + lines.join('')
}

/** A summary without quantiles: how often and how long in all. */
export function summary(name: string, help: string, count: number, sum: number): string {
  return `${head(name, 'summary', help)}${name}_sum ${numberText(sum)}\n${name}_count ${count}\n`
}

function head(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
}

function labelText(labels: Labels = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '+Inf' : '-Inf'
}
