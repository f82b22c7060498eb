// What an Ingress or a Service asks for of the balancing of its requests, and what comes of it where both do.
import { createHash } from 'node:crypto'
import { probeText, type Probe } from '../model/probe.ts'
import { protocolText, type AskedProtocol } from './annotations/read-protocol.ts'
import type { Backend } from '../model/routing.ts'
import { keyedBy, type HashPart, type Scheduler, type SchedulerOptions } from '../model/scheduler.ts'
import type { WeightRule } from '../model/weights.ts'

export interface Balancing {
  readonly scheduler?: Scheduler
  readonly options?: SchedulerOptions
  readonly hashKey?: readonly HashPart[]
  readonly weights?: readonly WeightRule[]
  readonly probe?: Probe
  /** The Service's ClusterIP in place of its endpoints: whoever serves that address balances. */
  readonly clusterIP?: true
  /** Of an Ingress only; no part of what is weighed against its Service. */
  readonly protocol?: AskedProtocol
}

export const NO_BALANCING: Balancing = Object.freeze({})

const LONGEST_KEY = 60
const keys = new WeakMap<Balancing, string>()

/**
 * As text: equal ones give equal texts, and none gives an empty one. Long ones end in a digest. Stands behind the id of a backend
 * that differs from its Service's.
 */
export function balancingKey(balancing: Balancing): string {
  if (balancing === NO_BALANCING) return ''
  const known = keys.get(balancing)
  if (known !== undefined) return known
  const text = balancingText(balancing)
  const key = text.length <= LONGEST_KEY ? text : `${text.slice(0, LONGEST_KEY / 2)}…${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  keys.set(balancing, key)
  return key
}

function balancingText(balancing: Balancing): string {
  const { scheduler, options, hashKey, weights, probe, clusterIP, protocol } = balancing
  const parts = [
    scheduler === undefined ? '' : `scheduler=${scheduler}`,
    options === undefined ? '' : Object.entries(options).map(([name, value]) => `${name}=${value}`).join(','),
    hashKey === undefined ? '' : `hash-key=${hashKeyText(hashKey)}`,
    weights === undefined ? '' : `weights=${weights.map(({ kind, value, weight }) => `${kind}:${value}=${weight}`).join(',')}`,
    probe === undefined ? '' : `health-check=${probeText(probe)}`,
    clusterIP === undefined ? '' : 'service-upstream',
    protocol === undefined ? '' : `backend-protocol=${protocolText(protocol)}`,
  ]
  return parts.filter((part) => part !== '').map((part) => `;${part}`).join('')
}

export function hashKeyText(parts: readonly HashPart[]): string {
  return parts.map(partText).join('')
}

function partText(part: HashPart): string {
  if (part.kind === 'text') return part.text
  return 'name' in part ? `{${part.kind}:${part.name}}` : `{${part.kind}}`
}

/** What a Service says holds for everyone who reaches it; an Ingress decides what its Service leaves open. */
export function restOf(ingress: Balancing, service: Balancing): Balancing {
  const { scheduler, options, hashKey, weights, probe, clusterIP } = ingress
  // A scheduler and its key belong together: who names the one decides on the other.
  const decided = service.scheduler !== undefined || service.hashKey !== undefined
  return {
    ...(!decided && scheduler !== undefined && { scheduler }),
    ...(!decided && options !== undefined && { options }),
    ...(!decided && hashKey !== undefined && { hashKey }),
    ...(service.weights === undefined && weights !== undefined && { weights }),
    ...(service.probe === undefined && probe !== undefined && { probe }),
    ...(clusterIP !== undefined && { clusterIP }),
  }
}

/** The fields of a backend. Without a scheduler, a hash key asks for one that hashes (mh, where few keys move), and weights for one that knows them. */
export function schedulerFields({ scheduler, options, hashKey, weights }: Balancing, fallback: Scheduler): Pick<Backend, 'scheduler' | 'schedulerOptions' | 'hashKey'> {
  const chosen = scheduler ?? (hashKey !== undefined ? 'mh' : weights !== undefined && fallback === 'rr' ? 'wrr' : fallback)
  return {
    scheduler: chosen,
    ...(options !== undefined && { schedulerOptions: options }),
    ...(hashKey !== undefined && keyedBy(chosen) !== undefined && { hashKey }),
  }
}
