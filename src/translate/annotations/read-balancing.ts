// From annotations to the balancing that is asked for: our own names, and those of ingress-nginx where ours say nothing.
import type { Diagnostic } from '../../model/diagnostic.ts'
import type { ObjectRef } from '../../model/object-ref.ts'
import { keyedBy, MAGLEV_SIZES, SCHEDULERS, type HashPart, type Scheduler, type SchedulerOptions } from '../../model/scheduler.ts'
import { parseWeights } from '../../model/weights.ts'
import { NO_BALANCING, type Balancing } from '../balancing.ts'
import { OWN_PREFIX } from '../options.ts'
import { quote, warning } from '../report.ts'
import { entriesOf, fieldOf, type Entry } from './entries.ts'
import { parseHashKey, parseVariables } from './hash-key.ts'
import { readProbe } from './read-probe.ts'
import { parseSchedulerFlags } from './scheduler-flags.ts'
import { parseBool } from './spec.ts'

/** As ingress-nginx has it; 0 means the same there. */
const DEFAULT_SUBSET_SIZE = 3
const LARGEST_SUBSET_SIZE = 10_000
const NGINX_SCHEDULERS: Readonly<Record<string, Scheduler>> = { round_robin: 'rr', ewma: 'ewma' }

type Entries = ReadonlyMap<string, Entry>
type Report = (entry: Entry, wrong: string, instead: string, fix: string) => void

/** Of a Service: under our own prefix only, since ingress-nginx reads none there. */
export function readServiceBalancing(annotations: Readonly<Record<string, string>>, object: ObjectRef): { readonly balancing: Balancing; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = []
  return { balancing: readBalancing(entriesOf(annotations, [OWN_PREFIX]), object, diagnostics), diagnostics }
}

export function readBalancing(entries: Entries, object: ObjectRef, diagnostics: Diagnostic[]): Balancing {
  const report: Report = (entry, wrong, instead, fix) => diagnostics.push(warning('AnnotationInvalid', object, { field: fieldOf(entry), message: `${wrong}; ${instead}.`, fix }))
  const scheduler = readScheduler(entries, report)
  const hashKey = readHashKey(entries, scheduler, report)
  const options = { ...readFlags(entries, report), ...readSubset(entries, report) }
  const weights = readWeights(entries, report)
  const probe = readProbe(entries, report)
  const upstream = readSwitch(entries, 'service-upstream', report)
  const balancing: Balancing = {
    ...(scheduler !== undefined && { scheduler }),
    ...(Object.keys(options).length > 0 && { options }),
    ...(hashKey !== undefined && { hashKey }),
    ...(weights !== undefined && { weights }),
    ...(probe !== undefined && { probe }),
    ...(upstream && { clusterIP: true }),
  }
  return Object.keys(balancing).length === 0 ? NO_BALANCING : balancing
}

function valued(entries: Entries, name: string): Entry | undefined {
  const entry = entries.get(name)
  return entry === undefined || entry.value === '' ? undefined : entry
}

/** Our own; else mh where ingress-nginx would hash, which goes before load-balance there too. */
function readScheduler(entries: Entries, report: Report): Scheduler | undefined {
  const own = valued(entries, 'scheduler')
  if (own !== undefined) {
    const found = SCHEDULERS.find((name) => name === own.value.toLowerCase())
    if (found === undefined) report(own, `${quote(own.value)} is no scheduler`, 'the default one is used', `Use one of ${SCHEDULERS.join(', ')}.`)
    return found
  }
  const byHash = valued(entries, 'upstream-hash-by')
  if (byHash !== undefined) return 'unknown' in parseVariables(byHash.value) ? undefined : 'mh'
  const nginx = valued(entries, 'load-balance')
  if (nginx === undefined) return undefined
  const found = Object.hasOwn(NGINX_SCHEDULERS, nginx.value) ? NGINX_SCHEDULERS[nginx.value] : undefined
  if (found === undefined) report(nginx, `${quote(nginx.value)} is no load-balance that Narthex knows`, 'the default scheduler is used', `Use round_robin or ewma, or the annotation ${OWN_PREFIX}/scheduler.`)
  return found
}

function readHashKey(entries: Entries, scheduler: Scheduler | undefined, report: Report): readonly HashPart[] | undefined {
  const own = valued(entries, 'hash-key')
  if (own !== undefined) {
    const parsed = parseHashKey(own.value)
    if (parsed === undefined) report(own, `${quote(own.value)} is no hash key`, 'what the scheduler hashes by itself is used', 'Use host, uri, path, source, header:NAME or cookie:NAME.')
    else if (scheduler !== undefined && keyedBy(scheduler) === undefined) report(own, `The scheduler ${scheduler} hashes nothing`, 'the hash key has no effect', 'Use it with mh, sh, dh, lblc or lblcr, or without a scheduler, which means mh.')
    else return parsed
    return undefined
  }
  const byHash = valued(entries, 'upstream-hash-by')
  if (byHash === undefined) return undefined
  const parsed = parseVariables(byHash.value)
  if (!('unknown' in parsed)) return scheduler !== undefined && keyedBy(scheduler) === undefined ? undefined : parsed
  report(byHash, parsed.unknown === byHash.value ? `${quote(byHash.value)} names no variable that Narthex hashes by` : `Narthex does not hash by ${quote(parsed.unknown)}`, 'the default scheduler is used', 'Use $request_uri, $uri, $args, $host, $remote_addr, $http_NAME, $cookie_NAME and $arg_NAME.')
  return undefined
}

function readFlags(entries: Entries, report: Report): SchedulerOptions {
  const entry = valued(entries, 'scheduler-flags')
  if (entry === undefined) return {}
  const { options, bad } = parseSchedulerFlags(entry.value)
  if (bad.length > 0) {
    report(entry, `${quote(bad.join(', '))} can't be read`, 'the other flags hold', `Use sh-fallback, sh-port, mh-fallback, mh-port, mh-size=N (${MAGLEV_SIZES.join(', ')}) and expiration=TIME (1h), separated by commas.`)
  }
  return options
}

function readSubset(entries: Entries, report: Report): SchedulerOptions {
  const isOn = valued(entries, 'upstream-hash-by-subset')
  if (isOn === undefined) return {}
  const wanted = parseBool(isOn.value)
  if (wanted === undefined) report(isOn, `${quote(isOn.value)} is no boolean`, `${isOn.name} is taken as false`, 'Set it to "true" or "false".')
  if (wanted !== true || valued(entries, 'upstream-hash-by') === undefined) return {}
  const size = valued(entries, 'upstream-hash-by-subset-size')
  const number = size === undefined ? 0 : /^\d{1,9}$/.test(size.value) ? Math.min(Number(size.value), LARGEST_SUBSET_SIZE) : -1
  if (size !== undefined && number === -1) report(size, `${quote(size.value)} is no size`, `${DEFAULT_SUBSET_SIZE} is used`, 'Set it to a whole number.')
  return { subsetSize: number > 0 ? number : DEFAULT_SUBSET_SIZE }
}

function readSwitch(entries: Entries, name: string, report: Report): boolean {
  const entry = valued(entries, name)
  if (entry === undefined) return false
  const wanted = parseBool(entry.value)
  if (wanted === undefined) report(entry, `${quote(entry.value)} is no boolean`, `${name} is taken as false`, 'Set it to "true" or "false".')
  return wanted === true
}

function readWeights(entries: Entries, report: Report): Balancing['weights'] {
  const entry = valued(entries, 'weights')
  if (entry === undefined) return undefined
  const { rules, bad } = parseWeights(entry.value)
  if (bad.length > 0) {
    report(entry, `${quote(bad.slice(0, 8).join(', '))} ${bad.length === 1 ? 'is no weight' : 'are no weights'}`, 'the others hold, and what no entry fits weighs 1', 'Write ADDRESS=N, pod:PREFIX=N, node:NAME=N, zone:NAME=N or *=N, with N from 0 to 65535, separated by commas.')
  }
  return rules.length > 0 ? rules : undefined
}
