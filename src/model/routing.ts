// The routing configuration: what translation makes and the data plane serves. Plain immutable data,
// structured-cloneable, no functions. Every entry keeps its identity (===) while nothing in it changed,
// so a delta between two configurations is found by comparing entries.
import type { BackendProtocol } from './backend-protocol.ts'
import type { ObjectRef } from './object-ref.ts'
import type { ClientCertificatePolicy, HandshakeTerms, Policy } from './policy.ts'
import type { Probe } from './probe.ts'
import type { HashPart, Scheduler, SchedulerOptions } from './scheduler.ts'
import type { Staple } from './staple.ts'

export type { Scheduler }

export interface RoutingConfig {
  /** By host name: `a.example.com`, `*.example.com` (exactly one label), or `*` for rules without a host. Lower case. */
  readonly hosts: ReadonlyMap<string, Host>
  /** By Backend.id. */
  readonly backends: ReadonlyMap<string, Backend>
  /** By Certificate.id. */
  readonly certificates: ReadonlyMap<string, Certificate>
  /** SNI name (exact or `*.one-label`, lower case) to certificate ids, the preferred one first. */
  readonly serverNames: ReadonlyMap<string, ServerName>
  /** By Stream.id. */
  readonly streams: ReadonlyMap<string, Stream>
  /** Backend id for requests that nothing else takes; undefined: the built-in 404. */
  readonly defaultBackend: string | undefined
  /** Certificate id for names that no other certificate covers; undefined: the one made at start. */
  readonly defaultCertificate: string | undefined
}

export interface Host {
  readonly name: string
  /** Best match first: see table/precedence. */
  readonly routes: readonly Route[]
  readonly handshake?: HandshakeTerms
  readonly clientCertificates?: ClientCertificatePolicy
  /** Its TLS connections are not ended here. */
  readonly passthrough?: Passthrough
}

/** TLS connections of a host go to a backend as they came; of them only the ClientHello is read. */
export interface Passthrough {
  /** Backend id; undefined: there is none, and connections are closed. */
  readonly backend: string | undefined
  /** The backend is sent a PROXY protocol header before. */
  readonly proxyOut: boolean
}

export type PathType = 'Exact' | 'Prefix'

export interface Route {
  /** Normalised, begins with `/`. ImplementationSpecific has become Prefix. */
  readonly path: string
  readonly pathType: PathType
  /** Backend id. `undefined`: nothing can serve it and `status` answers instead. */
  readonly backend: string | undefined
  /** The answer when there is no backend: 404 (resource backend) or 503 (missing Service or port). */
  readonly status: 404 | 503
  readonly policy: Policy
  readonly source: RouteSource
}

/** Where a route was written, for explain, metrics and logs. */
export interface RouteSource {
  readonly object: ObjectRef
  /** Field path inside the object. */
  readonly field: string
  /** Milliseconds since the epoch; the older of two equal routes wins. */
  readonly createdAt: number
  readonly service: string
  readonly servicePort: string
}

export interface Backend {
  /**
   * `namespace/service:port` with the Service port as the Ingress names it resolved to its number; a Service that no rule can name differently twice.
   * Where an Ingress asks for another balancing than its Service has, what it asks for follows behind a semicolon.
   */
  readonly id: string
  readonly namespace: string
  readonly service: string
  readonly port: string
  readonly scheduler: Scheduler
  readonly schedulerOptions?: SchedulerOptions
  /** Instead of what the scheduler hashes by itself: the host (dh, lblc, lblcr) or the client's address (sh, mh). */
  readonly hashKey?: readonly HashPart[]
  /** Sorted by address then port, without duplicates. Empty: 503. */
  readonly endpoints: readonly Endpoint[]
  /** Absent: HTTP/1.1 in the clear. */
  readonly protocol?: BackendProtocol
  /** How the prober checks its endpoints; absent: it does not. Backends of one Service port share what is found. */
  readonly probe?: Probe
  /** sessionAffinity ClientIP: seconds after its last request for which a client keeps its endpoint. */
  readonly affinitySeconds?: number
  /** Known inside the cluster only, and the same for all replicas: what cookies of sessions are signed with. */
  readonly serviceUid?: string
  /** DNS name of an ExternalName Service, whose addresses the endpoints are. */
  readonly externalName?: string
}

export interface Endpoint {
  /** `10.0.0.1:8080`, `[fd00::1]:8080`. */
  readonly id: string
  /** IP literal: no thread of the data plane ever asks DNS. */
  readonly address: string
  readonly port: number
  readonly weight: number
  readonly podName?: string
  readonly nodeName?: string
  readonly zone?: string
}

/** A port of our own whose connections (TCP) or datagrams (UDP) go to a backend as they are. */
export interface Stream {
  /** `tcp/5432`, `udp/53`. */
  readonly id: string
  readonly protocol: 'TCP' | 'UDP'
  readonly port: number
  /** Backend id. */
  readonly backend: string
  /** Clients begin with a PROXY protocol header. TCP only. */
  readonly proxyIn: boolean
  /** The backend is sent one. TCP only. */
  readonly proxyOut: boolean
  readonly source: StreamSource
}

/** Where a stream was written. */
export interface StreamSource {
  readonly object: ObjectRef
  readonly field: string
}

export interface ServerName {
  readonly certificates: readonly string[]
}

export interface Certificate {
  /** `namespace/secret`. */
  readonly id: string
  /** PEM, leaf first. */
  readonly certificate: string
  /** PEM. Never logged, never in the admin API. */
  readonly privateKey: string
  /** Lower-case DNS names and IP literals of the leaf. */
  readonly names: readonly string[]
  /** Milliseconds since the epoch. */
  readonly notAfter: number
  /** SHA-256 of the leaf, hex with colons. */
  readonly fingerprint: string
  /** http URL of the OCSP responder that it names. */
  readonly responder?: string
  /** Clients are told to insist on a stapled OCSP response (RFC 7633). */
  readonly mustStaple?: true
  /** OCSP response to show with it. */
  readonly staple?: Staple
}

export const EMPTY_ROUTING: RoutingConfig = Object.freeze({
  hosts: new Map(),
  backends: new Map(),
  certificates: new Map(),
  serverNames: new Map(),
  streams: new Map(),
  defaultBackend: undefined,
  defaultCertificate: undefined,
})
