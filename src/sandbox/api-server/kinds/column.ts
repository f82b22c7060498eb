// Table columns and cells that all kinds print alike.
import type { KubeObject, TableColumn } from '../kind.ts'
import { describe } from '../schemas/table.ts'

/** `priority` 1: with -o wide only. */
export function column(name: string, description: string, options: { type?: TableColumn['type']; format?: string; priority?: number } = {}): TableColumn {
  return { name, type: options.type ?? 'string', format: options.format ?? '', description, priority: options.priority ?? 0 }
}

export const NAME = column('Name', describe('meta.v1.ObjectMeta', 'name'), { format: 'name' })
export const AGE = column('Age', describe('meta.v1.ObjectMeta', 'creationTimestamp'))

export function ageCell(object: KubeObject, now: Date): string {
  return sinceCell(object.metadata.creationTimestamp, now)
}

/** Time passed since an RFC 3339 time; `<unknown>` without one. */
export function sinceCell(time: string | undefined, now: Date): string {
  const start = time === undefined ? Number.NaN : Date.parse(time)
  return Number.isNaN(start) ? '<unknown>' : humanDuration(Math.floor((now.getTime() - start) / 1000))
}

/** Two figures at most, as kubectl prints ages: 119s, 2m5s, 12m, 3h20m, 5d. */
export function humanDuration(seconds: number): string {
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const two = (large: number, largeUnit: string, small: number, smallUnit: string): string => (small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`)
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (hours < 192) return two(days, 'd', hours % 24, 'h')
  if (days < 365 * 2) return `${days}d`
  const years = Math.floor(days / 365)
  return years < 8 ? two(years, 'y', days % 365, 'd') : `${years}y`
}

export function labelsCell(labels: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(labels ?? {})
  return entries.length === 0 ? '<none>' : entries.map(([key, value]) => `${key}=${value}`).sort().join(',')
}
