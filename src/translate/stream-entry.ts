// One entry of a ConfigMap of TCP or UDP services, in the form of ingress-nginx: `"5432": "dev/postgres:5432[:PROXY][:PROXY]"`.

export interface StreamEntry {
  readonly port: number
  readonly namespace: string
  readonly service: string
  /** Number or name of the Service port. */
  readonly servicePort: number | string
  readonly proxyIn: boolean
  readonly proxyOut: boolean
}

const SERVICE = /^([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\/([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)$/
const PORT_NAME = /^(?=.*[a-z])[a-z0-9](?:[-a-z0-9]{0,13}[a-z0-9])?$/

/** Or what is wrong with it, as a sentence that goes on after the key. */
export function parseStreamEntry(key: string, value: string): StreamEntry | { readonly wrong: string; readonly fix: string } {
  const port = portNumber(key)
  if (port === undefined) return { wrong: 'the key is not a port from 1 to 65535', fix: 'Use the port to listen on as the key, such as "5432".' }
  const [reference = '', servicePort = '', decode = '', encode = '', ...rest] = value.trim().split(':')
  const form = { fix: 'Write namespace/service:port, then :PROXY to read a PROXY protocol header from clients, and another :PROXY to send one to the Service.' }
  const [, namespace, service] = SERVICE.exec(reference) ?? []
  if (namespace === undefined || service === undefined) return { wrong: 'the value does not begin with namespace/service', ...form }
  const named = portNumber(servicePort) ?? (PORT_NAME.test(servicePort) ? servicePort : undefined)
  if (named === undefined) return { wrong: servicePort === '' ? 'the value names no port of the Service' : 'the value names a port that can be none of a Service', ...form }
  if (rest.length > 0 || ![decode, encode].every((word) => word === '' || word.toUpperCase() === 'PROXY')) return { wrong: 'behind the port there is something other than PROXY', ...form }
  return { port, namespace, service, servicePort: named, proxyIn: decode !== '', proxyOut: encode !== '' }
}

function portNumber(text: string): number | undefined {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0
  return port > 0 && port < 65_536 ? port : undefined
}
