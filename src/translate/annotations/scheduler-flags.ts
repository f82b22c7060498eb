// The scheduler-flags annotation: what `ipvsadm -b` takes, and the options that are parameters of the kernel's modules.
import { MAGLEV_SIZES, type SchedulerOptions } from '../../model/scheduler.ts'

type Draft = { -readonly [Field in keyof SchedulerOptions]: SchedulerOptions[Field] }

const MS_PER_UNIT: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }
const LONGEST_EXPIRATION = 30 * 24 * 3_600_000

/** `mh-fallback,mh-port,mh-size=65521`, `sh-fallback`, `expiration=1h`. What can't be read is left out and named in `bad`. */
export function parseSchedulerFlags(text: string): { readonly options: SchedulerOptions; readonly bad: readonly string[] } {
  const options: Draft = {}
  const bad: string[] = []
  for (const entry of text.split(',')) {
    const flag = entry.trim().toLowerCase()
    if (flag === '' || take(flag, options)) continue
    bad.push(entry.trim())
  }
  return { options, bad }
}

function take(flag: string, options: Draft): boolean {
  if (flag === 'sh-fallback' || flag === 'mh-fallback') options.fallback = true
  else if (flag === 'sh-port' || flag === 'mh-port') options.port = true
  else {
    const [, name, number, unit] = /^(mh-size|expiration)=(\d{1,9})([smh]?)$/.exec(flag) ?? []
    if (name === 'mh-size' && unit === '' && MAGLEV_SIZES.includes(Number(number))) options.tableSize = Number(number)
    else if (name === 'expiration' && Number(number) > 0) options.expiration = Math.min(Number(number) * (MS_PER_UNIT[unit ?? ''] ?? 1000), LONGEST_EXPIRATION)
    else return false
  }
  return true
}
