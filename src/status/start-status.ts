// What Narthex tells the cluster: published addresses and Events. The only way back from translation to the objects.
import { systemClock, type Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ClusterState } from '../kube/cluster-state.ts'
import type { Connection } from '../kube/connection.ts'
import type { LeaseName } from '../kube/lease.ts'
import { rbacRule } from '../kube/resource.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { ObjectRef } from '../model/object-ref.ts'
import { createEvents } from './events.ts'
import { judgeFailures } from './failed-write.ts'
import { createIngressStatus } from './ingress-status.ts'
import { startLeadership } from './leadership.ts'
import type { AddressSource } from './published-addresses.ts'
import { WriteQueue } from './write-queue.ts'

export type { AddressSource } from './published-addresses.ts'

export interface StatusOptions {
  readonly connection: Connection
  readonly addresses: AddressSource
  /** The Lease that replicas elect by who writes; absent: this one does. */
  readonly election?: { readonly lease: LeaseName; readonly ttl: number }
  readonly log: Log
  readonly clock?: Clock
  readonly random?: () => number
}

export interface StatusUpdate {
  readonly state: ClusterState
  readonly accepted: readonly ObjectRef[]
  readonly diagnostics: readonly Diagnostic[]
}

export interface StatusWriter {
  /** After each translation, once its routes are live. Returns at once. */
  update(input: StatusUpdate): void
  /** Whether this replica is the one that writes. */
  leads(): boolean
  /** Ends the writes under way. Takes nothing back. */
  stop(): Promise<void>
}

export function startStatus({ connection, addresses, election, log, clock = systemClock, random = Math.random }: StatusOptions): StatusWriter {
  const shared = { clock, random, parallel: 4 }
  const statusRule = rbacRule('networking.k8s.io', 'ingresses/status', ['patch'])
  const eventRule = rbacRule('', 'events', ['create', 'patch'])
  const statusQueue = new WriteQueue({ ...shared, burst: 100, perSecond: 50, longest: 100_000, onFailure: judgeFailures('the status of an Ingress', statusRule, log, clock) })
  const eventQueue = new WriteQueue({ ...shared, burst: 50, perSecond: 10, longest: 2_000, onFailure: judgeFailures('an Event', eventRule, log, clock) })
  const status = createIngressStatus(connection, addresses, statusQueue)
  const events = createEvents(connection, eventQueue, clock)
  let latest: StatusUpdate | undefined
  const leadership = election === undefined ? undefined : startLeadership({ connection, ...election, log, clock, random, onChange: tell })
  const leads = (): boolean => leadership?.leads() ?? true

  function tell(isLeader: boolean): void {
    if (latest === undefined) return
    if (!isLeader) return events.update([], [])
    status.update(latest.state, latest.accepted)
    events.update(latest.accepted, latest.diagnostics)
  }

  return {
    leads,
    update(input) {
      latest = input
      if (leads()) tell(true)
    },
    async stop() {
      await leadership?.stop()
      events.stop()
      await Promise.all([statusQueue.stop(), eventQueue.stop()])
    },
  }
}
