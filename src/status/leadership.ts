// Which of several replicas writes to the cluster: the one that holds the Lease, as client-go's leader election has it. Clocks of replicas are
// not compared: a lease has run out when it did not change for its whole time by our own clock.
import { hostname } from 'node:os'
import { randomUUID } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { ApiFailure } from '../kube/api-failure.ts'
import { messageOf, type Connection } from '../kube/connection.ts'
import { changeLease, createLease, microTime, readLease, type Lease, type LeaseName, type LeaseSpec } from '../kube/lease.ts'
import { rbacRule } from '../kube/resource.ts'

export interface LeadershipOptions {
  readonly connection: Connection
  readonly lease: LeaseName
  /** Milliseconds without a renewal after which another may lead; whole seconds, 1 at least. */
  readonly ttl: number
  readonly log: Log
  readonly clock: Clock
  /** Like Math.random. */
  readonly random: () => number
  readonly onChange: (leads: boolean) => void
}

export interface Leadership {
  leads(): boolean
  /** Gives the lease back, so that another need not wait for its end. */
  stop(): Promise<void>
}

export function startLeadership({ connection, lease: name, ttl, log, clock, random, onChange }: LeadershipOptions): Leadership {
  const identity = `${hostname()}_${randomUUID()}`
  /** A leader that could not renew for so long leads no more, well before another may. */
  const deadline = (ttl * 2) / 3
  const stopping = new AbortController()
  const rule = rbacRule('coordination.k8s.io', 'leases', ['get', 'create', 'patch'])
  let leads = false
  /** As last seen, and when it was first seen so. */
  let seen: { readonly lease: Lease; readonly at: number } | undefined
  let renewedAt = 0
  let complaint = ''
  let cancel = (): void => undefined
  let cancelEnd = (): void => undefined
  let running: Promise<void> = Promise.resolve()

  function set(next: boolean): void {
    if (next === leads) return
    leads = next
    log('info', next ? 'leads: writes the status of Ingresses and Events' : 'leads no more', { lease: `${name.namespace}/${name.name}`, identity })
    onChange(next)
  }

  function see(lease: Lease): void {
    if (seen?.lease.renewTime !== lease.renewTime || seen.lease.holder !== lease.holder) seen = { lease, at: clock.now() }
    else seen = { lease, at: seen.at }
  }

  function specFor(before: Lease | undefined, now: number): LeaseSpec {
    const isOurs = before?.holder === identity
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.max(1, Math.round(ttl / 1000)),
      leaseTransitions: before === undefined ? 0 : before.transitions + (isOurs ? 0 : 1),
      acquireTime: isOurs ? before.acquireTime : microTime(now),
      renewTime: microTime(now),
    }
  }

  /** Whether we hold it now. */
  async function attempt(): Promise<boolean> {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(Math.max(1000, ttl / 3))])
    const lease = await readLease(connection, name, signal)
    const began = clock.now()
    if (lease === undefined) see(await createLease(connection, name, specFor(undefined, began), signal))
    else {
      see(lease)
      const runsOutAt = (seen?.at ?? began) + lease.seconds * 1000
      if (lease.holder !== identity && lease.holder !== '' && began < runsOutAt) return false
      see(await changeLease(connection, name, lease, specFor(lease, began), signal))
    }
    renewedAt = began
    cancelEnd()
    // However long the next attempts take to fail.
    cancelEnd = clock.after(Math.max(0, began + deadline - clock.now()), () => set(false))
    return true
  }

  async function round(): Promise<void> {
    try {
      set(await attempt())
      complaint = ''
    } catch (error) {
      if (stopping.signal.aborted) return
      // Another was faster, or we read an old one.
      if (!(error instanceof ApiFailure && error.status === 409)) complain(error)
      if (leads && clock.now() - renewedAt >= deadline) set(false)
    }
    if (!stopping.signal.aborted) cancel = clock.after((ttl / 4) * (1 + random() / 5), go)
  }

  function complain(error: unknown): void {
    const forbidden = error instanceof ApiFailure && (error.status === 401 || error.status === 403)
    const text = `can't hold the lease for the status of Ingresses and Events: ${messageOf(error)}${forbidden ? `; grant it with this rule in namespace ${name.namespace}: ${rule}` : ''}`
    if (text !== complaint) log('warn', text, {})
    complaint = text
  }

  function go(): void {
    running = round()
  }

  go()
  return {
    leads: () => leads,
    async stop() {
      cancel()
      stopping.abort()
      await running
      cancelEnd()
      const last = seen?.lease
      if (!leads || last === undefined) return
      set(false)
      try {
        await changeLease(connection, name, last, { ...specFor(last, clock.now()), holderIdentity: '', leaseDurationSeconds: 1 }, AbortSignal.timeout(1000))
      } catch {
        // Then it runs out.
      }
    },
  }
}
