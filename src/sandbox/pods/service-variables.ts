// The variables by which a container finds the Services that were there when it started (kubelet's service links).
import type { Registry } from '../api-server/registry.ts'
import { namespaceOf } from '../controllers/controller.ts'
import type { Pod, Service } from '../controllers/object-shapes.ts'

export type Variables = readonly (readonly [name: string, value: string])[]

/** The API's own Service is told in every namespace, also where enableServiceLinks is false. */
const API_SERVICE = { namespace: 'default', name: 'kubernetes' }

/** HOSTNAME, the Services of the pod's namespace, then what its first container sets; the last of a name counts. Sorted. */
export function podVariables(pod: Pod, registry: Registry): Variables {
  const namespace = namespaceOf(pod)
  const api = registry.get('services', API_SERVICE.namespace, API_SERVICE.name) as Service | undefined
  const linked = pod.spec.enableServiceLinks === false ? [] : registry.list('services', namespace).map((each) => each as Service)
  const services = [...(api === undefined ? [] : [api]), ...linked]
  const own = (pod.spec.containers[0]?.env ?? []).flatMap(({ name, value }): Variables => (value === undefined ? [] : [[name, value]]))
  const all = new Map<string, string>([['HOSTNAME', pod.metadata.name], ...services.flatMap(serviceVariables), ...own])
  return [...all].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** `WEB_SERVICE_HOST`, `WEB_SERVICE_PORT`, and the older ones of Docker's links. None for headless Services. */
export function serviceVariables({ metadata, spec: { clusterIP = '', ports = [] } }: Service): Variables {
  const [first] = ports
  if (clusterIP === '' || clusterIP === 'None' || first === undefined) return []
  const prefix = variableName(metadata.name)
  const named = ports.flatMap(({ name, port }): Variables => (name === undefined || name === '' ? [] : [[`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port)]]))
  const links = ports.flatMap(({ port, protocol = 'TCP' }): Variables => {
    const link = `${prefix}_PORT_${port}_${protocol}`
    return [
      [link, `${protocol.toLowerCase()}://${clusterIP}:${port}`],
      [`${link}_PROTO`, protocol.toLowerCase()],
      [`${link}_PORT`, String(port)],
      [`${link}_ADDR`, clusterIP],
    ]
  })
  return [
    [`${prefix}_SERVICE_HOST`, clusterIP],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
    ...named,
    [`${prefix}_PORT`, `${(first.protocol ?? 'TCP').toLowerCase()}://${clusterIP}:${first.port}`],
    ...links,
  ]
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_')
}
