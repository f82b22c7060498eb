// Writes the Events that make `kubectl describe` tell a story: equal ones are counted on one object, as client-go does.
import type { Clock } from '../../base/clock.ts'
import type { Json, KubeObject } from '../api-server/kind.ts'
import type { Registry } from '../api-server/registry.ts'
import { timestamp } from './controller.ts'

export interface EventRecorder {
  record(about: KubeObject, component: string, type: 'Normal' | 'Warning', reason: string, message: string): void
}

/** Series remembered for counting; older ones start a new Event. */
const REMEMBERED = 2000

interface Series {
  readonly namespace: string
  readonly name: string
  count: number
}

export function createEventRecorder(registry: Registry, clock: Clock): EventRecorder {
  const series = new Map<string, Series>()
  let serial = 0

  const create = (about: KubeObject, component: string, type: string, reason: string, message: string): Series => {
    const now = timestamp(clock.now())
    const namespace = about.metadata.namespace ?? 'default'
    // client-go names an event after its nanosecond; the serial keeps those of one millisecond apart.
    serial = (serial + 1) % 1_000_000
    const name = `${about.metadata.name}.${(BigInt(clock.now()) * 1_000_000n + BigInt(serial)).toString(16)}`
    registry.create('events', {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace },
      involvedObject: {
        kind: about.kind,
        ...(about.metadata.namespace !== undefined && { namespace: about.metadata.namespace }),
        name: about.metadata.name,
        uid: about.metadata.uid,
        apiVersion: about.apiVersion,
        resourceVersion: about.metadata.resourceVersion,
      },
      reason,
      message,
      source: { component },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      eventTime: null,
      reportingComponent: component,
      reportingInstance: '',
    }, { fieldManager: managerOf(component) })
    return { namespace, name, count: 1 }
  }

  return {
    record(about, component, type, reason, message) {
      const id = JSON.stringify([about.metadata.uid, component, type, reason, message])
      const known = series.get(id)
      try {
        if (known && registry.get('events', known.namespace, known.name)) {
          known.count++
          const patch: Json = { count: known.count, lastTimestamp: timestamp(clock.now()) }
          registry.patch('events', known.namespace, known.name, patch, { fieldManager: managerOf(component) })
          return
        }
        series.delete(id)
        series.set(id, create(about, component, type, reason, message))
        if (series.size > REMEMBERED) {
          const [oldest] = series.keys()
          if (oldest !== undefined) series.delete(oldest)
        }
      } catch {
        // Events are a courtesy: a namespace that is going away takes none, and no controller may fail for it.
      }
    },
  }
}

/** The process that a component of a real cluster runs in: it is what managed fields name. */
function managerOf(component: string): string {
  return component.endsWith('-controller') ? 'kube-controller-manager' : component
}
