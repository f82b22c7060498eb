// Runs the pods that are bound to a node: brings their servers up, writes their status, ends them in order.
// Level-based like the controllers: every decision is taken from the stored pod and from what runs for it.
import type { Clock } from '../../base/clock.ts'
import { copyJson, equalJson } from '../api-server/json-value.ts'
import type { Registry } from '../api-server/registry.ts'
import { isApiError, keyOfObject, messageOf, namespaceOf, runController, splitKey } from '../controllers/controller.ts'
import { createEventRecorder } from '../controllers/event-recorder.ts'
import { OWN_PREFIX, type Pod, type Service } from '../controllers/object-shapes.ts'
import { declaresPorts, portAnnotation } from '../controllers/published-port.ts'
import { createAddressPool } from './address-pool.ts'
import type { PodLog } from './pod-log.ts'
import { portsToListen, udpPortsToListen } from './pod-ports.ts'
import { podStatus } from './pod-status.ts'
import { podVariables } from './service-variables.ts'
import type { Closing } from './pod-server.ts'
import { createSimulatedPod, type SimulatedPod } from './simulated-pod.ts'

export const READY_ANNOTATION = `${OWN_PREFIX}/ready`
export const START_DELAY_ANNOTATION = `${OWN_PREFIX}/start-delay`
/** `true`: each answer says `Connection: close`; `silently`: the connection ends after each answer without a word. */
export const CLOSE_ANNOTATION = `${OWN_PREFIX}/close`
/** Milliseconds for which it goes on answering when it was told to end. */
export const DRAIN_ANNOTATION = `${OWN_PREFIX}/drain`

export interface KubeletOptions {
  readonly registry: Registry
  readonly clock: Clock
  readonly log: (line: string) => void
  /** How long a terminating pod goes on taking requests, so that every proxy hears of it first. */
  readonly drainMs?: number
}

export interface Kubelet {
  /** The access log of a running pod. */
  podLog(namespace: string, name: string): PodLog | undefined
  close(): Promise<void>
}

interface Run {
  readonly uid: string
  readonly acceptedAt: number
  readonly pod: SimulatedPod
  phase: 'starting' | 'running' | 'draining' | 'stopping'
  runningAt?: number
  /** Ports being opened, so that two changes do not open them twice. */
  opening?: Promise<void>
  cancel?: () => void
}

const NAME = 'kubelet'
const DRAIN_MS = 1000
const RETRY_MS = 1000
const LONGEST_START_DELAY_MS = 600_000
const HOST_ADDRESS = '127.0.0.1'
const SECOND = 1000

export function startKubelet({ registry, clock, log, drainMs = DRAIN_MS }: KubeletOptions): Kubelet {
  const events = createEventRecorder(registry, clock)
  const pool = createAddressPool()
  /** By `namespace/name`; a pod of the same name with another uid ends the run. */
  const runs = new Map<string, Run>()
  const closing = new Set<Promise<void>>()

  const reconcile = (key: string, later: (ms: number) => void): void => {
    const { namespace, name } = splitKey(key)
    const pod = registry.get('pods', namespace, name) as Pod | undefined
    const run = runs.get(key)
    // Gone, by --force or at the end of its life, or replaced by another of its name.
    if (run && run.uid !== pod?.metadata.uid) end(key, run)
    if (!pod || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return
    const current = runs.get(key)
    if (pod.metadata.deletionTimestamp !== undefined) terminate(key, pod, current)
    else if (current) writeStatus(writePorts(pod, listenFurther(key, pod, current)), current, later)
    else if (pod.spec.nodeName) accept(key, pod, later)
  }

  const accept = (key: string, pod: Pod, later: (ms: number) => void): void => {
    const image = pod.spec.containers.map((container) => container.image ?? '').join(', ')
    const simulated = createSimulatedPod(pod.metadata.uid, { pod: pod.metadata.name, namespace: namespaceOf(pod), node: pod.spec.nodeName ?? '', image, variables: podVariables(pod, registry) }, pool, closingOf(pod))
    if (!simulated) {
      events.record(pod, NAME, 'Warning', 'FailedCreatePodSandBox', 'No address is free in 127.10.0.0/16')
      later(RETRY_MS)
      return
    }
    const run: Run = { uid: pod.metadata.uid, acceptedAt: clock.now(), pod: simulated, phase: 'starting' }
    runs.set(key, run)
    writeStatus(pod, run, later)
    const delay = startDelay(pod)
    if (delay > 0) run.cancel = clock.after(delay, () => begin(key, run))
    else begin(key, run)
  }

  /** Opens the sockets; only then is the pod Running, and only then can it be Ready. */
  const begin = (key: string, run: Run): void => {
    const { namespace, name } = splitKey(key)
    const pod = registry.get('pods', namespace, name) as Pod | undefined
    if (runs.get(key) !== run || !pod) return
    run.pod.listen(portsToListen(pod, servicesOf(pod))).then(() => run.pod.echo(udpPortsToListen(pod))).then(() => {
      if (runs.get(key) !== run || run.phase !== 'starting') return
      run.phase = 'running'
      run.runningAt = clock.now()
      for (const container of pod.spec.containers) {
        events.record(pod, NAME, 'Normal', 'Pulled', `Container image "${container.image ?? ''}" already present on machine`)
        events.record(pod, NAME, 'Normal', 'Created', `Created container: ${container.name}`)
        events.record(pod, NAME, 'Normal', 'Started', `Started container ${container.name}`)
      }
      controller.enqueue(key)
    }).catch((error: unknown) => {
      if (runs.get(key) !== run) return
      events.record(pod, NAME, 'Warning', 'Failed', `Error: ${messageOf(error)}`)
      run.cancel = clock.after(RETRY_MS, () => begin(key, run))
    })
  }

  /** A Service may ask for a port that a pod without declared ports does not listen on yet. */
  const listenFurther = (key: string, pod: Pod, run: Run): Run => {
    if (run.phase !== 'running' || run.opening || declaresPorts(pod)) return run
    const missing = portsToListen(pod, servicesOf(pod)).filter((port) => !run.pod.ports.has(port))
    if (missing.length === 0) return run
    run.opening = run.pod.listen(missing).catch((error: unknown) => {
      events.record(pod, NAME, 'Warning', 'Failed', `Error: ${messageOf(error)}`)
    }).then(() => {
      delete run.opening
      controller.enqueue(key)
    })
    return run
  }

  /** Says on the pod where its ports really are, before the status says that it is up. */
  const writePorts = (pod: Pod, run: Run): Pod => {
    const told: Record<string, string> = {}
    for (const [port, bound] of run.pod.ports) if (bound !== port || !declaresPorts(pod)) told[portAnnotation(port)] = String(bound)
    const annotations = { ...pod.metadata.annotations, ...told }
    if (equalJson(annotations, { ...pod.metadata.annotations })) return pod
    const changed = copyJson(pod)
    changed.metadata.annotations = annotations
    return registry.update('pods', changed, { fieldManager: NAME }) as Pod
  }

  const writeStatus = (pod: Pod, run: Run, later: (ms: number) => void): void => {
    const now = clock.now()
    const wait = run.runningAt === undefined ? 0 : run.runningAt + initialDelay(pod) - now
    if (wait > 0) later(wait)
    const status = podStatus(pod, {
      hostAddress: HOST_ADDRESS,
      address: run.pod.address,
      acceptedAt: run.acceptedAt,
      runningAt: run.runningAt,
      containersReady: run.runningAt !== undefined && wait <= 0 && pod.metadata.annotations?.[READY_ANNOTATION] !== 'false',
      now,
    })
    if (equalJson(pod.status, status)) return
    registry.update('pods', { ...pod, status }, { subresource: 'status', fieldManager: NAME })
  }

  const terminate = (key: string, pod: Pod, run: Run | undefined): void => {
    if (!run || run.phase === 'starting') {
      finish(key, pod.metadata.uid)
      return
    }
    if (run.phase !== 'running') return
    run.phase = 'draining'
    run.pod.drain()
    for (const container of pod.spec.containers) events.record(pod, NAME, 'Normal', 'Killing', `Stopping container ${container.name}`)
    const grace = (pod.metadata.deletionGracePeriodSeconds ?? 30) * SECOND
    const drain = Math.min(grace, millisecondsOf(pod, DRAIN_ANNOTATION) ?? drainMs)
    run.cancel = clock.after(drain, () => {
      run.phase = 'stopping'
      track(run.pod.stop(grace - drain).then(() => finish(key, run.uid)))
    })
  }

  const finish = (key: string, uid: string): void => {
    const { namespace, name } = splitKey(key)
    try {
      registry.delete('pods', namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } })
    } catch (error) {
      if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) log(`pod ${key}: ${messageOf(error)}`)
    }
  }

  const end = (key: string, run: Run): void => {
    run.cancel?.()
    runs.delete(key)
    track(run.pod.stop(0))
  }

  const track = (work: Promise<void>): void => {
    const settled = work.catch((error: unknown) => log(`a pod did not stop cleanly: ${messageOf(error)}`)).then(() => void closing.delete(settled))
    closing.add(settled)
  }

  const servicesOf = (pod: Pod): readonly Service[] => registry.list('services', namespaceOf(pod)).map((service) => service as Service)

  const controller = runController({ registry, clock, log }, {
    name: NAME,
    sources: [
      { resource: 'pods', keys: (object) => [keyOfObject(object)] },
      { resource: 'services', keys: (object) => undeclaredPodsOf(registry, object as Service) },
    ],
    reconcile,
  })

  return {
    podLog: (namespace, name) => runs.get(`${namespace}/${name}`)?.pod.log,
    async close() {
      controller.close()
      for (const [key, run] of runs) end(key, run)
      while (closing.size > 0) await Promise.all(closing)
    },
  }
}

function startDelay(pod: Pod): number {
  return Math.min(millisecondsOf(pod, START_DELAY_ANNOTATION) ?? 0, LONGEST_START_DELAY_MS)
}

function millisecondsOf(pod: Pod, annotation: string): number | undefined {
  const written = pod.metadata.annotations?.[annotation] ?? ''
  return /^\d{1,9}$/.test(written) ? Number(written) : undefined
}

function closingOf(pod: Pod): Closing | undefined {
  const written = pod.metadata.annotations?.[CLOSE_ANNOTATION]
  return written === 'true' ? 'announced' : written === 'silently' ? 'silent' : undefined
}

function initialDelay(pod: Pod): number {
  return Math.max(0, ...pod.spec.containers.map((container) => container.readinessProbe?.initialDelaySeconds ?? 0)) * SECOND
}

function undeclaredPodsOf(registry: Registry, service: Service): readonly string[] {
  return registry.list('pods', namespaceOf(service)).filter((pod) => !declaresPorts(pod as Pod)).map(keyOfObject)
}
