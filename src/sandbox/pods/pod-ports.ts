// Which ports a simulated pod listens on. Pure.
import { declaresPorts } from '../controllers/published-port.ts'
import { matchesLabels } from '../controllers/label-selector.ts'
import type { Pod, Service } from '../controllers/object-shapes.ts'

/** Where a pod listens that declares no port. */
export const DEFAULT_PORT = 8080
const MOST_PORTS = 16

/**
 * The TCP containerPorts. A pod that declares none listens on 8080 and on the numeric target ports of the Services that
 * select it: an image listens whether or not its ports are declared, and nobody here knows on which.
 */
export function portsToListen(pod: Pod, services: readonly Service[]): readonly number[] {
  if (declaresPorts(pod)) {
    const declared = pod.spec.containers.flatMap(({ ports = [] }) => ports.filter(({ protocol = 'TCP' }) => protocol === 'TCP').map(({ containerPort }) => containerPort))
    return [...new Set(declared)].slice(0, MOST_PORTS)
  }
  const targets = services.filter((service) => selects(service, pod)).flatMap(({ spec }) => (spec.ports ?? [])
    .filter(({ protocol = 'TCP' }) => protocol === 'TCP')
    .map(({ port, targetPort = port }) => targetPort))
  return [...new Set([DEFAULT_PORT, ...targets.filter((target) => typeof target === 'number')])].slice(0, MOST_PORTS)
}

/** The UDP containerPorts. */
export function udpPortsToListen(pod: Pod): readonly number[] {
  const declared = pod.spec.containers.flatMap(({ ports = [] }) => ports.filter(({ protocol }) => protocol === 'UDP').map(({ containerPort }) => containerPort))
  return [...new Set(declared)].slice(0, MOST_PORTS)
}

function selects(service: Service, pod: Pod): boolean {
  const selector = service.spec.selector ?? {}
  return Object.keys(selector).length > 0 && matchesLabels(selector, pod.metadata.labels)
}
