// What translation is told besides the cluster's objects. Keep one object alive: its identity is part of every memo.
import type { TlsRedirect } from '../model/policy.ts'
import type { Scheduler } from '../model/scheduler.ts'

export interface TranslateOptions {
  /** spec.controller of the IngressClasses that are ours. */
  readonly controllerClass: string
  /** Value of the old annotation kubernetes.io/ingress.class that is ours. */
  readonly ingressClass: string
  /** Whether Ingresses that name no class at all are ours. */
  readonly watchIngressWithoutClass: boolean
  /** Annotation prefixes read beside the own one, without the slash; the first that has a name wins. */
  readonly annotationPrefixes: readonly string[]
  /** `namespace/name`. */
  readonly defaultBackendService: string | undefined
  /** `namespace/name` of a Secret. */
  readonly defaultSslCertificate: string | undefined
  /** `namespace/name` of the ConfigMaps with TCP and UDP services. */
  readonly tcpServices: string | undefined
  readonly udpServices: string | undefined
  /** Ports that no such service may have, because we listen on them. */
  readonly reservedPorts: readonly number[]
  /** What the annotations of an Ingress leave open. */
  readonly redirects: Redirects
  /** A protection of everything is asked for that there is not: all paths answer 503. */
  readonly closed: boolean
  /** Of backends that nothing else asks anything for. */
  readonly scheduler: Scheduler
  /** Where we run: which endpoints are near. */
  readonly place: Place
  /** Endpoints wherever they are, as ingress-nginx has it: internalTrafficPolicy, trafficDistribution and hints mean nothing. */
  readonly ignoreTrafficPolicies: boolean
  /** Whether ssl-passthrough means something. */
  readonly sslPassthrough: boolean
  /** Whether OCSP responses are stapled. */
  readonly ocspStapling: boolean
  /** Whether endpoints and external names may be loopback or link-local addresses: only where pods live there, as in the sandbox. */
  readonly allowLoopback: boolean
}

/** From plain HTTP to https. */
export interface Redirects {
  /** Of hosts with a certificate. */
  readonly tlsHosts: boolean
  readonly allHosts: boolean
  readonly status: TlsRedirect['status']
}

/** undefined: not known. */
export interface Place {
  readonly node: string | undefined
  readonly zone: string | undefined
}

export const OWN_PREFIX = 'narthex.ingress.kubernetes.io'

export const DEFAULT_TRANSLATE_OPTIONS: TranslateOptions = Object.freeze({
  controllerClass: 'narthex.ingress.kubernetes.io/controller',
  ingressClass: 'narthex',
  watchIngressWithoutClass: false,
  annotationPrefixes: ['nginx.ingress.kubernetes.io'],
  defaultBackendService: undefined,
  defaultSslCertificate: undefined,
  tcpServices: undefined,
  udpServices: undefined,
  reservedPorts: [],
  redirects: Object.freeze({ tlsHosts: true, allHosts: false, status: 308 }),
  closed: false,
  scheduler: 'rr',
  place: Object.freeze({ node: undefined, zone: undefined }),
  ignoreTrafficPolicies: false,
  sslPassthrough: true,
  ocspStapling: true,
  allowLoopback: false,
})
