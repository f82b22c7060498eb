// YAML that most tests of the whole controller begin with: simulated pods behind a Service, an Ingress that leads to it.
// In flow style, so that parts can be given as they would be written in a manifest.

export interface AppSpec {
  readonly replicas?: number
  readonly namespace?: string
  /** What the pods listen on. */
  readonly containerPort?: number
  /** More of what they listen on, as flow YAML: `{containerPort: 53, protocol: UDP}`. */
  readonly morePorts?: string
  /** Of the pods, as flow YAML without the braces. */
  readonly podAnnotations?: string
  /** The Service's. */
  readonly port?: number
  /** More of the Service's spec, as flow YAML: `sessionAffinity: ClientIP`. */
  readonly service?: string
}

const documents = (...parts: readonly string[]): string => parts.map((part) => `---\n${part.trim()}\n`).join('')
const metadata = (name: string, namespace: string | undefined, annotations = ''): string =>
  `{name: ${name}${namespace === undefined ? '' : `, namespace: ${namespace}`}${annotations === '' ? '' : `, annotations: {${annotations}}`}}`

/** A Deployment. */
export function deployment(name: string, { replicas = 1, namespace, containerPort = 8080, morePorts = '', podAnnotations = '' }: AppSpec = {}): string {
  return documents(`
apiVersion: apps/v1
kind: Deployment
metadata: ${metadata(name, namespace)}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}, annotations: {${podAnnotations}}}
    spec: {containers: [{name: ${name}, image: "${name}:1", ports: [{containerPort: ${containerPort}}${morePorts === '' ? '' : `, ${morePorts}`}]}]}`)
}

/** A Service before the pods of a Deployment, `app`. */
export function service(name: string, { namespace, containerPort = 8080, port = 80, service: more = '' }: AppSpec = {}, app = name): string {
  return documents(`
apiVersion: v1
kind: Service
metadata: ${metadata(name, namespace)}
spec: {selector: {app: ${app}}, ports: [{port: ${port}, targetPort: ${containerPort}}]${more === '' ? '' : `, ${more}`}}`)
}

/** A Service whose endpoints are made by hand. `spec` as flow YAML without the braces. */
export function bareService(name: string, spec = 'ports: [{port: 80}]', namespace?: string): string {
  return documents(`
apiVersion: v1
kind: Service
metadata: ${metadata(name, namespace)}
spec: {${spec}}`)
}

/** Such endpoints; each as flow YAML without the braces, or an address alone. */
export function slice(service: string, port: number, endpoints: readonly string[]): string {
  const written = endpoints.map((each) => (each.includes(':') ? `{${each}}` : `{addresses: [${each}]}`))
  return documents(`
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${service}-by-hand, labels: {kubernetes.io/service-name: ${service}}}
addressType: IPv4
ports: [{name: "", port: ${port}}]
endpoints: [${written.join(', ')}]`)
}

export function configMap(name: string, data: Readonly<Record<string, string>>, namespace?: string): string {
  return documents(`
apiVersion: v1
kind: ConfigMap
metadata: ${metadata(name, namespace)}
data: ${JSON.stringify(data)}`)
}

/** A Deployment and its Service. */
export const app = (name: string, spec: AppSpec = {}): string => deployment(name, spec) + service(name, spec)

export interface IngressSpec {
  readonly host: string
  readonly namespace?: string
  /** As flow YAML, without the braces. */
  readonly annotations?: string
  /** Name of the Secret for the host. */
  readonly tls?: string
  /** Name of the Service, the Ingress' own if left out. */
  readonly service?: string
  readonly port?: number
  readonly path?: string
}

/** One host, one path. */
export function ingress(name: string, { host, namespace, annotations, tls, service: backend = name, port = 80, path = '/' }: IngressSpec): string {
  return documents(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: ${metadata(name, namespace, annotations)}
spec:
  ingressClassName: narthex${tls === undefined ? '' : `\n  tls: [{hosts: [${host}], secretName: ${tls}}]`}
  rules: [{host: ${host}, http: {paths: [{path: ${path}, pathType: Prefix, backend: {service: {name: ${backend}, port: {number: ${port}}}}}]}}]`)
}
