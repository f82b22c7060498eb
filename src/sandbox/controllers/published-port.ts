// Where a pod's port can really be reached: the kubelet writes it on the pod, the endpoint controllers publish it.
import { OWN_PREFIX, type Pod } from './object-shapes.ts'

/** Annotation that says which port stands for `port`: the sandbox may not bind low ports, or has one loopback address only. */
export function portAnnotation(port: number): string {
  return `${OWN_PREFIX}/port-${port}`
}

/**
 * The number to publish for a TCP port of the pod. Undefined: a pod that declares no ports has not begun to listen on
 * this one yet. A port that is declared nowhere is published as it is: connecting to it is refused, as in a cluster.
 */
export function publishedPort(pod: Pod, port: number): number | undefined {
  const written = pod.metadata.annotations?.[portAnnotation(port)]
  if (written !== undefined && /^\d{1,5}$/.test(written)) return Number(written)
  return declaresPorts(pod) ? port : undefined
}

export function declaresPorts(pod: Pod): boolean {
  return pod.spec.containers.some((container) => (container.ports ?? []).some(({ protocol = 'TCP' }) => protocol === 'TCP'))
}
