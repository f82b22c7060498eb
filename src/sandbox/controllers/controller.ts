// What every controller is: watches that turn changed objects into keys, and one function that reconciles a key.
import type { Clock } from '../../base/clock.ts'
import { ApiError } from '../api-server/api-error.ts'
import type { KubeObject } from '../api-server/kind.ts'
import type { Registry, WatchEvent } from '../api-server/registry.ts'
import { createKeyQueue } from './key-queue.ts'
import type { EventRecorder } from './event-recorder.ts'

export interface ControllerContext {
  readonly registry: Registry
  readonly clock: Clock
  readonly events: EventRecorder
  /** One line for the person who runs the sandbox. */
  readonly log: (line: string) => void
}

export interface Source {
  readonly resource: string
  /** Keys that a change of this object concerns. */
  readonly keys: (object: KubeObject, type: WatchEvent['type']) => Iterable<string>
}

export interface ControllerSpec {
  readonly name: string
  readonly sources: readonly Source[]
  /** `later` asks for the same key again after some milliseconds. */
  readonly reconcile: (key: string, later: (ms: number) => void) => void
}

export interface Running {
  close(): void
}

export interface RunningController extends Running {
  /** For what no watch tells: a socket that listens now. */
  enqueue(key: string): void
}

/** Watches first, then lists: nothing is missed in between. */
export function runController(context: Pick<ControllerContext, 'registry' | 'clock' | 'log'>, spec: ControllerSpec): RunningController {
  const queue = createKeyQueue({
    clock: context.clock,
    reconcile: (key) => spec.reconcile(key, (ms) => queue.addAfter(key, ms)),
    failed: (key, error, attempt) => {
      // Conflicts and name clashes are the weather of optimistic writes; the retry settles them.
      if (attempt > 3 || !(error instanceof ApiError)) context.log(`${spec.name} ${key}: ${messageOf(error)}; will be tried again`)
    },
  })
  const addAll = (source: Source, object: KubeObject, type: WatchEvent['type']): void => {
    for (const key of source.keys(object, type)) queue.add(key)
  }
  const stops = spec.sources.map((source) => context.registry.watch(source.resource, (event) => addAll(source, event.object, event.type)))
  for (const source of spec.sources) {
    for (const object of context.registry.list(source.resource)) addAll(source, object, 'ADDED')
  }
  return {
    enqueue: queue.add,
    close() {
      for (const stop of stops) stop()
      queue.close()
    },
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

export function isApiError(error: unknown, reason: string): boolean {
  return error instanceof ApiError && error.status.reason === reason
}

/** `namespace/name`, or `/name` for cluster-scoped objects. */
export function keyOfObject(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}

export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

export function namespaceOf(object: KubeObject): string {
  return object.metadata.namespace ?? ''
}

/** RFC 3339 with seconds, as metav1.Time is written. */
export function timestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
}
