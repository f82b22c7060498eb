// What the steps of translation hand to each other, and what they remember from run to run.
import type { ClusterState } from '../kube/cluster-state.ts'
import type { EndpointSlice, Ingress, IngressBackend, IngressTls, ObjectKey, Service } from '../kube/objects.ts'
import type { BackendProtocol } from '../model/backend-protocol.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { ObjectRef } from '../model/object-ref.ts'
import type { RouteRetries, RouteTimeouts } from '../model/policy.ts'
import type { ResolvedName, ResolvedNames } from '../model/resolved-name.ts'
import type { Staples } from '../model/staple.ts'
import type { Backend, Certificate, Host, PathType, ServerName, Stream } from '../model/routing.ts'
import type { BackendSecret } from './backend-secrets.ts'
import type { AskedAffinity } from './annotations/read-affinity.ts'
import type { AskedTls } from './annotations/read-protocol.ts'
import type { IngressPolicy } from './annotations/read.ts'
import type { Balancing } from './balancing.ts'
import type { TrafficPolicy } from './choose-endpoints.ts'
import type { BackendOutcome } from './endpoints.ts'
import type { EndpointTrouble } from './endpoint-troubles.ts'
import type { ClientTls } from './annotations/read-client-tls.ts'
import type { HostTls } from './client-tls.ts'
import type { HostGroups } from './host-groups.ts'
import type { Memory } from './memory.ts'
import type { TranslateOptions } from './options.ts'
import type { SecretMemory } from './secret-memory.ts'

export interface View {
  readonly state: ClusterState
  readonly options: TranslateOptions
  readonly memo: TranslateMemo
  readonly names: ResolvedNames
  readonly staples: Staples
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** One place where an Ingress names a backend. */
export interface BackendReference {
  /** Key of `Draft.resolutions`. */
  readonly key: string
  readonly namespace: string
  /** undefined: it names no Service. */
  readonly serviceKey: ObjectKey | undefined
  readonly backend: IngressBackend
  /** What its Ingress asks for. */
  readonly balancing: Balancing
  /** Field path of the backend inside the Ingress. */
  readonly field: string
}

export interface PathDraft {
  readonly path: string
  readonly pathType: PathType
  /** Field path of the path entry. */
  readonly field: string
  readonly reference: BackendReference
}

/** What one Ingress says of one host. */
export interface Contribution {
  readonly host: string
  readonly object: ObjectRef
  readonly createdAt: number
  readonly policy: IngressPolicy
  readonly affinity: AskedAffinity | undefined
  readonly timeouts: RouteTimeouts | undefined
  readonly retries: RouteRetries | undefined
  readonly paths: readonly PathDraft[]
  /** Answers what no path of the host takes. */
  readonly fallback: PathDraft | undefined
}

/** Everything that can be said of an Ingress without looking at another object. */
export interface IngressDraft {
  readonly object: ObjectRef
  readonly namespace: string
  readonly contributions: readonly Contribution[]
  readonly tls: readonly IngressTls[]
  readonly clientTls: ClientTls | undefined
  /** Towards its backends. */
  readonly backendTls: AskedTls | undefined
  /** It asks for TLS towards them. */
  readonly speaksTls: boolean
  readonly references: readonly BackendReference[]
  readonly diagnostics: readonly Diagnostic[]
}

/** What a backend reference stands for. Equal resolutions are the same object from run to run. */
export type Resolution =
  | { readonly backend: string }
  | { readonly backend: undefined; readonly status: 404 | 503 }

/** Of an ExternalName Service. */
export interface ExternalTarget {
  /** DNS name or IP literal. */
  readonly name: string
  readonly port: number
}

/** A Service port that some Ingress uses. */
export interface Target {
  readonly id: string
  readonly namespace: string
  readonly service: string
  /** Where its slices are found. */
  readonly serviceKey: ObjectKey
  readonly port: number
  /** Name of the Service port, by which EndpointSlices know it. */
  readonly portName: string
  readonly external: ExternalTarget | undefined
  /** The only endpoint, in place of those of the slices. */
  readonly clusterIP: string | undefined
  /** Absent: TCP. */
  readonly protocol?: 'UDP'
  readonly balancing: Balancing
  readonly policy: TrafficPolicy
  /** sessionAffinity ClientIP. */
  readonly affinitySeconds: number | undefined
  readonly serviceUid: string
  /** Undefined: HTTP/1.1 in the clear. */
  readonly speaks: BackendProtocol | undefined
}

export interface Draft {
  accepted: readonly Ingress[]
  ingresses: readonly IngressDraft[]
  /** What `ingresses` are, in the same order. */
  refs: readonly ObjectRef[]
  /** Those that can be used, by the name that an Ingress gives. */
  backendSecrets: ReadonlyMap<ObjectKey, BackendSecret>
  resolutions: ReadonlyMap<string, Resolution>
  targets: ReadonlyMap<string, Target>
  backends: ReadonlyMap<string, Backend>
  certificates: ReadonlyMap<string, Certificate>
  serverNames: ReadonlyMap<string, ServerName>
  streams: ReadonlyMap<string, Stream>
  /** Hosts that TLS is asked for, whether or not a certificate could be read. */
  tlsHosts: ReadonlySet<string>
  /** By host, of those that ask for something. */
  hostTls: ReadonlyMap<string, HostTls>
  hosts: ReadonlyMap<string, Host>
  defaultBackend: string | undefined
  defaultCertificate: string | undefined
  readonly diagnostics: (readonly Diagnostic[])[]
}

/** What a backend reference came to, and what to tell each Ingress that makes it. */
export interface Outcome {
  readonly resolution: Resolution
  readonly target?: Target
  readonly report?: (object: ObjectRef, field: string) => Diagnostic
}

/** Adds to the draft what it owns; reads what the steps before it have added. */
export type Step = (view: View, draft: Draft) => void

interface IngressMemory {
  readonly ingress: Ingress
  readonly options: TranslateOptions
  readonly draft: IngressDraft
}

export interface HostMemory {
  readonly contributions: readonly Contribution[]
  /** Of every path and fallback, in their order. */
  readonly resolutions: readonly (Resolution | undefined)[]
  readonly tls: boolean
  readonly hostTls: HostTls | undefined
  readonly host: Host
  readonly diagnostics: readonly Diagnostic[]
}

export interface HostsMemory {
  readonly groups: HostGroups
  readonly resolutions: Draft['resolutions']
  readonly tlsHosts: Draft['tlsHosts']
  readonly hostTls: Draft['hostTls']
  readonly hosts: ReadonlyMap<string, Host>
  /** By host, of those that have any. */
  readonly conflicts: ReadonlyMap<string, readonly Diagnostic[]>
  readonly diagnostics: readonly Diagnostic[]
}

export interface EndpointInputs {
  readonly target: Target
  readonly resolved: ResolvedName | undefined
  readonly slices: readonly EndpointSlice[]
  readonly options: TranslateOptions
  readonly outcome: BackendOutcome
}

/** Opaque to callers: make one with createMemo() and hand the same one to every run. */
export interface TranslateMemo {
  readonly classes: Memory<{ readonly accepted: readonly Ingress[]; readonly diagnostics: readonly Diagnostic[] }>
  readonly rules: Memory<Pick<Draft, 'ingresses' | 'refs'> & { readonly diagnostics: readonly Diagnostic[] }>
  readonly ingresses: Map<ObjectKey, IngressMemory>
  /** The same entries by the object itself: most Ingresses are the very object of the run before. */
  readonly unchangedIngresses: WeakMap<Ingress, IngressMemory>
  readonly backendSecrets: Memory<{ readonly bySecret: Draft['backendSecrets']; readonly diagnostics: readonly Diagnostic[] }>
  readonly backends: Memory<Pick<Draft, 'resolutions' | 'targets' | 'defaultBackend'> & { readonly diagnostics: readonly Diagnostic[] }>
  /** By reference key. */
  readonly outcomes: Map<string, { readonly service: Service | undefined; readonly secret: BackendSecret | undefined; readonly options: TranslateOptions; readonly outcome: Outcome }>
  readonly streams: Memory<Pick<Draft, 'streams' | 'targets'> & { readonly diagnostics: readonly Diagnostic[] }>
  readonly streamTargets: Memory<Draft['targets']>
  readonly endpoints: Memory<{ readonly backends: Draft['backends']; readonly troubles: ReadonlyMap<string, EndpointTrouble> }>
  readonly externalNames: Memory<ReadonlySet<string>>
  readonly endpointTroubles: Memory<readonly Diagnostic[]>
  /** By backend id. */
  readonly endpointInputs: Map<string, EndpointInputs>
  readonly certificates: Memory<Pick<Draft, 'certificates' | 'serverNames' | 'tlsHosts' | 'defaultCertificate'> & { readonly diagnostics: readonly Diagnostic[]; readonly validUntil: number }>
  readonly secrets: Map<ObjectKey, SecretMemory>
  readonly clientTls: Memory<{ readonly hostTls: Draft['hostTls']; readonly diagnostics: readonly Diagnostic[] }>
  readonly hosts: Memory<HostsMemory>
  readonly hostEntries: Map<string, HostMemory>
  readonly diagnostics: Memory<readonly Diagnostic[]>
}
