// Where `services/NAME/proxy` and `pods/NAME/proxy` lead: one endpoint's address. Reads the registry, opens nothing.
import { ApiError } from '../api-server/api-error.ts'
import { notFound } from '../api-server/failures.ts'
import type { Registry } from '../api-server/registry.ts'
import { SERVICE_NAME_LABEL } from '../controllers/endpointslice.ts'
import { publishedPort } from '../controllers/published-port.ts'
import type { EndpointSlice, Pod, Service } from '../controllers/object-shapes.ts'
import { DEFAULT_PORT } from '../pods/pod-ports.ts'

/** `[http:]name[:port]`, the port by name or number. */
export interface ProxyName {
  readonly name: string
  readonly port: string
}

/** Throws 400 for what is no such name. */
export function parseProxyName(text: string): ProxyName {
  const parts = text.split(':')
  const [scheme = '', name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts]
  if (parts.length > 3 || name === '') throw new ApiError(400, 'BadRequest', `invalid name ${JSON.stringify(text)}: use [http:]NAME[:PORT]`, {})
  if (scheme !== '' && scheme !== 'http') throw new ApiError(400, 'BadRequest', `the sandbox proxies plain HTTP only, not ${JSON.stringify(scheme)}`, {})
  return { name, port }
}

/** The origin of a random ready endpoint. Throws 404 for a missing Service or port, 503 without endpoint. `random` is 0 up to 1. */
export function serviceOrigin(registry: Registry, namespace: string, { name, port }: ProxyName, random: () => number): string {
  const service = registry.get('services', namespace, name) as Service | undefined
  if (!service) throw notFound({ group: '', resource: 'services', kind: 'Service' }, name)
  const ports = service.spec.ports ?? []
  const wanted = port === '' ? (ports.length === 1 ? ports[0] : undefined) : ports.find((each) => each.name === port || String(each.port) === port)
  if (!wanted) {
    const known = ports.map((each) => each.name ?? String(each.port)).join(', ')
    throw new ApiError(port === '' ? 400 : 503, port === '' ? 'BadRequest' : 'ServiceUnavailable', port === '' ? `service "${name}" has several ports or none; name one: ${known}` : `no service port "${port}" found for service "${name}"; it has: ${known}`, {})
  }
  const origins = registry.list('endpointslices', namespace)
    .map((slice) => slice as EndpointSlice)
    .filter((slice) => slice.metadata.labels?.[SERVICE_NAME_LABEL] === name)
    .flatMap((slice) => originsOf(slice, wanted.name ?? ''))
  const origin = origins[Math.floor(random() * origins.length)]
  if (origin === undefined) throw new ApiError(503, 'ServiceUnavailable', `no endpoints available for service "${name}"`, {})
  return origin
}

/** Without a port: the first containerPort. Throws 404 for a missing pod, 503 for one without address. */
export function podOrigin(registry: Registry, namespace: string, { name, port }: ProxyName): string {
  const pod = registry.get('pods', namespace, name) as Pod | undefined
  if (!pod) throw notFound({ group: '', resource: 'pods', kind: 'Pod' }, name)
  const declared = pod.spec.containers.flatMap(({ ports = [] }) => ports)
  const number = port === '' ? declared[0]?.containerPort ?? DEFAULT_PORT : declared.find((each) => each.name === port)?.containerPort ?? Number(port)
  if (!Number.isInteger(number) || number < 1 || number > 65_535) throw new ApiError(400, 'BadRequest', `pod "${name}" has no port ${JSON.stringify(port)}`, {})
  const address = pod.status?.podIP
  if (!address) throw new ApiError(503, 'ServiceUnavailable', `pod "${name}" has no address yet`, {})
  return originOf(address, publishedPort(pod, number) ?? number)
}

function originsOf(slice: EndpointSlice, portName: string): readonly string[] {
  const port = slice.ports?.find((each) => (each.name ?? '') === portName)?.port
  if (port === undefined || slice.addressType === 'FQDN') return []
  return (slice.endpoints ?? [])
    .filter(({ conditions }) => conditions.ready !== false)
    .flatMap(({ addresses: [address] }) => (address === undefined ? [] : [originOf(address, port)]))
}

function originOf(address: string, port: number): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`
}
