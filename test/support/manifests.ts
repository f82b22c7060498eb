// YAML that most tests of the whole controller begin with: simulated pods behind a Service, an Ingress that leads to it.
// In flow style, so that parts can be given as they would be written in a manifest.

export interface AppSpec {
  readonly replicas?: number
  readonly namespace?: string
  /** What the pods listen on. */
  readonly containerPort?: number
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
export function deployment(name: string, { replicas = 1, namespace, containerPort = 8080, podAnnotations = '' }: AppSpec = {}): string {
  return documents(`
apiVersion: apps/v1
kind: Deployment
metadata: ${metadata(name, namespace)}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}, annotations: {${podAnnotations}}}
    spec: {containers: [{name: ${name}, image: "${name}:1", ports: [{containerPort: ${containerPort}}]}]}`)
}

/** A Service before the pods of a Deployment, `app`. */
export function service(name: string, { namespace, containerPort = 8080, port = 80, service: more = '' }: AppSpec = {}, app = name): string {
  return documents(`
apiVersion: v1
kind: Service
metadata: ${metadata(name, namespace)}
spec: {selector: {app: ${app}}, ports: [{port: ${port}, targetPort: ${containerPort}}]${more === '' ? '' : `, ${more}`}}`)
}

/** Both. */
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
