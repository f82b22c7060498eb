// The annotations that ask for health checks: health-check and what belongs to it.
import { DEFAULT_PROBE, type Probe } from '../../model/probe.ts'
import { OWN_PREFIX } from '../options.ts'
import { quote } from '../report.ts'
import type { Entry } from './entries.ts'

type Entries = ReadonlyMap<string, Entry>
type Report = (entry: Entry, wrong: string, instead: string, fix: string) => void

/** Visible ASCII, as a request line has it. */
const TARGET = /^http:(\/[\x21-\x7e]{0,1023})$/
const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }
const SHORTEST_INTERVAL = 100
const LONGEST_INTERVAL = 3_600_000
const SHORTEST_TIMEOUT = 10
const LONGEST_TIMEOUT = 60_000
const LARGEST_THRESHOLD = 100

export function readProbe(entries: Entries, report: Report): Probe | undefined {
  const entry = entries.get('health-check')
  if (entry === undefined || entry.value === '') {
    for (const name of ['health-check-interval', 'health-check-timeout', 'health-check-healthy-threshold', 'health-check-unhealthy-threshold']) {
      const lonely = entries.get(name)
      if (lonely !== undefined && lonely.value !== '') report(lonely, `There is no health check that ${name} could be of`, 'it has no effect', `Add the annotation ${OWN_PREFIX}/health-check, or remove this one.`)
    }
    return undefined
  }
  const path = TARGET.exec(entry.value)?.[1]
  if (path === undefined && entry.value !== 'tcp') {
    report(entry, `${quote(entry.value)} is no health check`, 'endpoints are not checked', 'Use "http:/path" or "tcp".')
    return undefined
  }
  const number = (name: string, parse: (text: string) => number | undefined, fallback: number, wanted: string, unit = ''): number => {
    const asked = entries.get(name)
    if (asked === undefined || asked.value === '') return fallback
    const value = parse(asked.value)
    if (value === undefined) report(asked, `${quote(asked.value)} is not ${wanted}`, `${fallback}${unit} is used`, `Set it to ${wanted}.`)
    return value ?? fallback
  }
  const { interval, timeout, healthyThreshold, unhealthyThreshold } = DEFAULT_PROBE
  return {
    ...(path !== undefined && { path }),
    interval: number('health-check-interval', (text) => time(text, SHORTEST_INTERVAL, LONGEST_INTERVAL), interval, 'a time from 100ms to 60m such as 5s', 'ms'),
    timeout: number('health-check-timeout', (text) => time(text, SHORTEST_TIMEOUT, LONGEST_TIMEOUT), timeout, 'a time from 10ms to 60s such as 2s', 'ms'),
    healthyThreshold: number('health-check-healthy-threshold', threshold, healthyThreshold, 'a whole number from 1 to 100'),
    unhealthyThreshold: number('health-check-unhealthy-threshold', threshold, unhealthyThreshold, 'a whole number from 1 to 100'),
  }
}

/** A bare number is seconds, as with options. */
function time(text: string, least: number, most: number): number | undefined {
  const [, digits, unit = 's'] = /^(\d{1,7})(ms|s|m)?$/.exec(text) ?? []
  const ms = Number(digits) * (MS_PER_UNIT[unit] ?? NaN)
  return ms >= least && ms <= most ? ms : undefined
}

function threshold(text: string): number | undefined {
  return /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= LARGEST_THRESHOLD ? Number(text) : undefined
}
