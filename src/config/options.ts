// Every option of the command line and the environment, in one table: help texts, parsing and docs/options.md come from it.
import { availableParallelism } from 'node:os'
import type { LogLevel } from '../base/log.ts'
import type { TlsRedirect } from '../model/policy.ts'
import { SCHEDULERS, type Scheduler } from '../model/scheduler.ts'
import { DEFAULT_SETTINGS } from '../model/settings.ts'
import type { TlsVersions } from '../model/tls.ts'
import * as value from './values.ts'

/** The commands that take options from this table. */
export type Command = 'run' | 'sandbox'

export interface Option<T> {
  /** Without the dashes; the environment variable is NARTHEX_ and the flag in upper case. */
  readonly flag: string
  readonly group: 'Cluster' | 'Listeners' | 'Client address' | 'Ingress' | 'External names' | 'Status' | 'Sandbox' | 'TLS' | 'HTTP/2' | 'Limits' | 'Timeouts' | 'Pools' | 'Health' | 'Life cycle' | 'Logs'
  /** What stands for the value in help; empty for a switch (a bare flag means true). */
  readonly placeholder: string
  readonly help: string
  readonly parse: (text: string) => T
  readonly fallback: T
  /** Where the sandbox differs. */
  readonly sandboxFallback?: T
  /** Shown instead of the default where that is computed. */
  readonly shownFallback?: string
  /** Another variable that `narthex run` reads, after its own. */
  readonly variable?: string
  /** Only for this command. */
  readonly only?: Command
  /** May be given several times; the parser sees each one and `collect` joins them. */
  readonly collect?: (all: readonly T[]) => T
}

const { client, limits, timeouts, pool, health, streams, http2 } = DEFAULT_SETTINGS
const option = <T>(spec: Option<T>): Option<T> => spec
const concat = (all: readonly (readonly string[])[]): readonly string[] => all.flat()

export const OPTIONS = {
  kubeconfig: option({ flag: 'kubeconfig', group: 'Cluster', placeholder: 'FILE', only: 'run', parse: value.nonEmpty, fallback: '', shownFallback: '$KUBECONFIG, else in-cluster, else ~/.kube/config', help: 'Which cluster to serve.' }),
  context: option({ flag: 'context', group: 'Cluster', placeholder: 'NAME', only: 'run', parse: value.nonEmpty, fallback: '', shownFallback: "the kubeconfig's current one", help: 'Context of the kubeconfig.' }),
  watchNamespace: option({ flag: 'watch-namespace', group: 'Cluster', placeholder: 'NAME', parse: value.namespace, fallback: '', shownFallback: 'all', help: 'Serve the Ingresses of one namespace only.' }),
  nodeName: option({ flag: 'node-name', group: 'Cluster', placeholder: 'NAME', parse: value.text, fallback: '', sandboxFallback: 'sandbox', variable: 'NODE_NAME', shownFallback: '$NODE_NAME', help: 'Node that Narthex runs on: by it and its zone the endpoints are chosen that Services want to be near.' }),
  zone: option({ flag: 'zone', group: 'Cluster', placeholder: 'NAME', parse: value.text, fallback: '', shownFallback: "the node's topology.kubernetes.io/zone", help: 'Zone that Narthex runs in.' }),
  ignoreTrafficPolicies: option({ flag: 'ignore-traffic-policies', group: 'Cluster', placeholder: '', parse: value.boolean, fallback: false, help: 'Use endpoints wherever they are, as ingress-nginx does: internalTrafficPolicy, trafficDistribution and topology hints mean nothing.' }),

  httpPort: option({ flag: 'http-port', group: 'Listeners', placeholder: 'PORT', parse: value.port, fallback: 80, sandboxFallback: 8080, help: 'Port for HTTP; 0: any free port, printed.' }),
  httpsPort: option({ flag: 'https-port', group: 'Listeners', placeholder: 'PORT', parse: value.port, fallback: 443, sandboxFallback: 8443, help: 'Port for HTTPS; 0: any free port, printed.' }),
  publicHttpPort: option({ flag: 'public-http-port', group: 'Listeners', placeholder: 'PORT', parse: value.port, fallback: 80, sandboxFallback: 0, help: 'Port that HTTP clients come to, for X-Forwarded-Port; 0: the one of --http-port.' }),
  publicHttpsPort: option({ flag: 'public-https-port', group: 'Listeners', placeholder: 'PORT', parse: value.port, fallback: 443, sandboxFallback: 0, help: 'Port that HTTPS clients come to, for X-Forwarded-Port and redirects to https (443 is left out of Location); 0: the one of --https-port.' }),
  address: option({ flag: 'address', group: 'Listeners', placeholder: 'IP', parse: value.ipAddress, fallback: '', sandboxFallback: '127.0.0.1', shownFallback: 'all', help: 'Address to listen on.' }),
  adminPort: option({ flag: 'admin-port', group: 'Listeners', placeholder: 'PORT', parse: value.port, fallback: 10_254, help: 'Port of /healthz, /readyz, /metrics, /api/* and the dashboard; 0: any free port.' }),
  adminAddress: option({ flag: 'admin-address', group: 'Listeners', placeholder: 'IP', parse: value.ipAddress, fallback: '', shownFallback: 'as --address', help: 'Address of the admin port.' }),
  threads: option({ flag: 'threads', group: 'Listeners', placeholder: 'N', parse: value.positive, fallback: availableParallelism(), shownFallback: 'number of cores', help: 'Data-plane threads.' }),

  useForwardedHeaders: option({ flag: 'use-forwarded-headers', group: 'Client address', placeholder: '', parse: value.boolean, fallback: false, help: 'Believe X-Forwarded-For, -Host, -Port and -Proto of the proxies in --proxy-real-ip-cidr; of others they are replaced.' }),
  proxyRealIpCidr: option({ flag: 'proxy-real-ip-cidr', group: 'Client address', placeholder: 'CIDR,…', parse: value.prefixList, fallback: [] as readonly string[], collect: concat, shownFallback: 'nobody is trusted', help: 'Addresses and prefixes of the proxies in front that speak for clients; repeatable.' }),
  computeFullForwardedFor: option({ flag: 'compute-full-forwarded-for', group: 'Client address', placeholder: '', parse: value.boolean, fallback: false, help: "Add a trusted proxy's address to its X-Forwarded-For instead of replacing the field by the client's." }),
  forwardedForHeader: option({ flag: 'forwarded-for-header', group: 'Client address', placeholder: 'NAME', parse: value.chainField, fallback: client.forwardedForField, shownFallback: 'X-Forwarded-For', help: "Field in which trusted proxies name the client." }),
  useProxyProtocol: option({ flag: 'use-proxy-protocol', group: 'Client address', placeholder: '', parse: value.boolean, fallback: false, help: 'Every connection of the HTTP and HTTPS ports begins with a PROXY protocol header, version 1 or 2; others are closed.' }),
  proxyProtocolCidr: option({ flag: 'proxy-protocol-cidr', group: 'Client address', placeholder: 'CIDR,…', parse: value.prefixList, fallback: [] as readonly string[], collect: concat, shownFallback: 'as --proxy-real-ip-cidr', help: 'Whose PROXY protocol headers are believed; connections from elsewhere are closed; repeatable.' }),

  ingressClass: option({ flag: 'ingress-class', group: 'Ingress', placeholder: 'NAME', parse: value.nonEmpty, fallback: 'narthex', help: 'Class name that the annotation kubernetes.io/ingress.class is compared with.' }),
  controllerClass: option({ flag: 'controller-class', group: 'Ingress', placeholder: 'NAME', parse: value.qualifiedName, fallback: 'narthex.ingress.kubernetes.io/controller', help: 'spec.controller of the IngressClasses to serve (k8s.io/ingress-nginx takes over from ingress-nginx).' }),
  watchIngressWithoutClass: option({ flag: 'watch-ingress-without-class', group: 'Ingress', placeholder: '', parse: value.boolean, fallback: false, help: 'Serve Ingresses that name no class at all too.' }),
  annotationsPrefix: option({ flag: 'annotations-prefix', group: 'Ingress', placeholder: 'PREFIX', parse: (text) => [value.qualifiedName(text)], fallback: ['nginx.ingress.kubernetes.io'], collect: concat, help: 'Annotation prefix read beside narthex.ingress.kubernetes.io (which wins); repeatable.' }),
  defaultSslCertificate: option({ flag: 'default-ssl-certificate', group: 'Ingress', placeholder: 'NS/NAME', parse: value.namespacedName, fallback: '', shownFallback: 'a self-signed one made at start', help: 'Secret with the certificate for names that no other covers.' }),
  defaultBackendService: option({ flag: 'default-backend-service', group: 'Ingress', placeholder: 'NS/NAME', parse: value.namespacedName, fallback: '', shownFallback: 'a built-in 404', help: 'Service for requests that no rule takes (its first port).' }),

  configmap: option({ flag: 'configmap', group: 'Ingress', placeholder: 'NS/NAME', parse: value.namespacedName, fallback: '', help: 'ConfigMap whose keys, named as in ingress-nginx, set options that are not given here; changes are live. See docs/configmap.md.' }),
  tcpServicesConfigmap: option({ flag: 'tcp-services-configmap', group: 'Ingress', placeholder: 'NS/NAME', parse: value.namespacedName, fallback: '', help: 'ConfigMap of TCP services, port: namespace/service:port[:PROXY][:PROXY], as in ingress-nginx.' }),
  udpServicesConfigmap: option({ flag: 'udp-services-configmap', group: 'Ingress', placeholder: 'NS/NAME', parse: value.namespacedName, fallback: '', help: 'ConfigMap of UDP services, port: namespace/service:port.' }),

  scheduler: option<Scheduler>({ flag: 'scheduler', group: 'Ingress', placeholder: 'NAME', parse: value.choice(...SCHEDULERS), fallback: 'rr', help: 'Scheduler of backends whose Ingress and Service ask for none, by its ipvsadm name; see docs/balancing.md.' }),
  sslRedirect: option({ flag: 'ssl-redirect', group: 'Ingress', placeholder: '', parse: value.boolean, fallback: true, help: 'Redirect plain HTTP to https where a host has a certificate, unless its Ingress says otherwise.' }),
  forceSslRedirect: option({ flag: 'force-ssl-redirect', group: 'Ingress', placeholder: '', parse: value.boolean, fallback: false, help: 'Do so for hosts without a certificate, too.' }),
  httpRedirectCode: option<TlsRedirect['status']>({ flag: 'http-redirect-code', group: 'Ingress', placeholder: 'STATUS', parse: value.redirectStatus, fallback: 308, help: 'Status of those redirects: 301, 302, 307 or 308.' }),
  noTlsRedirectLocations: option({ flag: 'no-tls-redirect-locations', group: 'Ingress', placeholder: 'PATH,…', parse: value.pathList, fallback: DEFAULT_SETTINGS.noTlsRedirectPaths, collect: concat, help: 'Beginnings of paths that are never redirected; repeatable.' }),
  allowLoopbackEndpoints: option({ flag: 'allow-loopback-endpoints', group: 'Ingress', placeholder: '', parse: value.boolean, fallback: false, sandboxFallback: true, help: 'Send requests to endpoints on loopback and link-local addresses too: only where pods live there, as in the sandbox.' }),

  dnsServer: option({ flag: 'dns-server', group: 'External names', placeholder: 'IP[:PORT]', parse: (text) => [value.addressWithPort(text)], fallback: [] as readonly string[], collect: concat, shownFallback: 'those of /etc/resolv.conf', help: 'DNS server for the names of ExternalName Services; repeatable.' }),
  dnsMinTtl: option({ flag: 'dns-min-ttl', group: 'External names', placeholder: 'TIME', parse: value.duration, fallback: 5000, help: 'Addresses are taken to hold at least this long, whatever their TTL.' }),
  dnsMaxTtl: option({ flag: 'dns-max-ttl', group: 'External names', placeholder: 'TIME', parse: value.duration, fallback: 300_000, help: 'Addresses are asked for again after this long at the latest.' }),
  dnsKeep: option({ flag: 'dns-keep', group: 'External names', placeholder: 'TIME', parse: value.duration, fallback: 3_600_000, help: 'How long expired addresses are used while DNS does not answer.' }),
  maxExternalNames: option({ flag: 'max-external-names', group: 'External names', placeholder: 'N', parse: value.count, fallback: 1000, help: 'Names that are resolved; Services with more answer 503.' }),

  publishService: option({ flag: 'publish-service', group: 'Status', placeholder: 'NS/NAME', parse: value.namespacedName, fallback: '', help: "Service whose addresses go to the status of the Ingresses." }),
  publishStatusAddress: option({ flag: 'publish-status-address', group: 'Status', placeholder: 'A,B', parse: value.addressList, fallback: [] as readonly string[], sandboxFallback: ['127.0.0.1'], help: 'Addresses for the status of the Ingresses; wins over --publish-service.' }),
  disableLeaderElection: option({ flag: 'disable-leader-election', group: 'Status', placeholder: '', parse: value.boolean, fallback: false, sandboxFallback: true, help: 'Write status and Events without asking other replicas: where there are none.' }),
  electionId: option({ flag: 'election-id', group: 'Status', placeholder: 'NAME', parse: value.objectName, fallback: 'narthex-leader', help: 'Lease by which replicas agree on the one that writes status and Events; all of them serve.' }),
  electionNamespace: option({ flag: 'election-namespace', group: 'Status', placeholder: 'NAME', parse: value.namespace, fallback: '', variable: 'POD_NAMESPACE', shownFallback: "$POD_NAMESPACE, else the service account's, else default", help: 'Namespace of that Lease.' }),
  electionTtl: option({ flag: 'election-ttl', group: 'Status', placeholder: 'TIME', parse: value.wholeSeconds, fallback: 30_000, help: 'After how long without a word of the leader another one takes its place; whole seconds.' }),

  apiPort: option({ flag: 'api-port', group: 'Sandbox', placeholder: 'PORT', only: 'sandbox', parse: value.port, fallback: 6443, help: "Port of the sandbox's Kubernetes API; 0: any free port." }),
  apiOnly: option({ flag: 'api-only', group: 'Sandbox', placeholder: '', only: 'sandbox', parse: value.boolean, fallback: false, help: 'Leave the ingress controller out: only the API, its controllers and pods.' }),
  dnsPort: option({ flag: 'dns-port', group: 'Sandbox', placeholder: 'PORT', only: 'sandbox', parse: value.port, fallback: 0, help: "Port of the sandbox's DNS server (UDP and TCP); 0: any free port, printed." }),
  kubeProxy: option({ flag: 'kube-proxy', group: 'Sandbox', placeholder: '', only: 'sandbox', parse: value.boolean, fallback: true, help: 'Let the addresses of Services answer (ClusterIP, NodePort, LoadBalancer), all on loopback.' }),
  apply: option({ flag: 'apply', group: 'Sandbox', placeholder: 'FILE|DIR', only: 'sandbox', parse: (text) => [value.nonEmpty(text)], fallback: [] as readonly string[], collect: concat, help: 'YAML to apply at start and whenever it changes; repeatable.' }),
  kubeconfigOut: option({ flag: 'kubeconfig-out', group: 'Sandbox', placeholder: 'FILE', only: 'sandbox', parse: value.nonEmpty, fallback: '.narthex/kubeconfig', help: 'Where to write the kubeconfig.' }),
  rbac: option({ flag: 'rbac', group: 'Sandbox', placeholder: '', only: 'sandbox', parse: value.boolean, fallback: false, help: 'Hold requests with a service account token (serviceaccount:NS:NAME) to the RBAC objects that were applied.' }),

  auditLogPath: option({ flag: 'audit-log-path', group: 'Sandbox', placeholder: 'FILE', only: 'sandbox', parse: value.nonEmpty, fallback: '', help: "Append each request to the sandbox's API as a JSON line: verb, resource, who." }),

  http2: option({ flag: 'http2', group: 'HTTP/2', placeholder: '', parse: value.boolean, fallback: http2.overTls, help: 'Offer HTTP/2 to clients over TLS, by ALPN.' }),
  h2c: option({ flag: 'h2c', group: 'HTTP/2', placeholder: '', parse: value.boolean, fallback: http2.cleartext, help: 'Take HTTP/2 without TLS on the HTTP port from clients that begin with it (prior knowledge); there is no upgrade from HTTP/1.1.' }),
  http2MaxStreams: option({ flag: 'http2-max-streams', group: 'HTTP/2', placeholder: 'N', parse: value.positive, fallback: http2.wire.concurrentStreams, help: 'Requests at once on one connection; more are refused, and the client tries them again later.' }),
  http2MaxHeaderList: option({ flag: 'http2-max-header-list', group: 'HTTP/2', placeholder: 'SIZE', parse: value.size, fallback: http2.wire.headerListBytes, help: 'Largest request head, decoded, with 32 bytes added for each field; larger: 431. --max-head and --max-head-fields hold as well.' }),
  http2StreamWindow: option({ flag: 'http2-stream-window', group: 'HTTP/2', placeholder: 'SIZE', parse: value.window, fallback: http2.wire.streamWindow, help: 'Bytes of one request body that may be on their way or wait for the backend.' }),
  http2ConnectionWindow: option({ flag: 'http2-connection-window', group: 'HTTP/2', placeholder: 'SIZE', parse: value.window, fallback: http2.wire.connectionWindow, help: 'Likewise for all requests of one connection; never less than 64k.' }),
  http2PingInterval: option({ flag: 'http2-ping-interval', group: 'HTTP/2', placeholder: 'TIME', parse: value.duration, fallback: http2.wire.pingInterval, help: 'A PING to a client that has sent nothing for so long while requests are in flight; 0: none.' }),
  http2PingTimeout: option({ flag: 'http2-ping-timeout', group: 'HTTP/2', placeholder: 'TIME', parse: value.duration, fallback: http2.wire.pingTimeout, help: 'For its answer; longer: the connection is closed.' }),
  http2ResetBurst: option({ flag: 'http2-reset-burst', group: 'HTTP/2', placeholder: 'N', parse: value.positive, fallback: http2.wire.abuse.resetBurst, help: 'Requests that a client may cancel, or make fail by breaking rules, at once. Beyond this and the following: GOAWAY with ENHANCE_YOUR_CALM.' }),
  http2ResetsPerSecond: option({ flag: 'http2-resets-per-second', group: 'HTTP/2', placeholder: 'N', parse: value.count, fallback: http2.wire.abuse.resetsPerSecond, help: 'Likewise each second, in the long run, beside one for each request that came to its end.' }),
  http2ControlBurst: option({ flag: 'http2-control-burst', group: 'HTTP/2', placeholder: 'N', parse: value.positive, fallback: http2.wire.abuse.controlBurst, help: 'SETTINGS, PING, empty and unknown frames that a client may send at once.' }),
  http2ControlPerSecond: option({ flag: 'http2-control-per-second', group: 'HTTP/2', placeholder: 'N', parse: value.count, fallback: http2.wire.abuse.controlPerSecond, help: 'Likewise each second, in the long run, beside one for each DATA frame of either side.' }),
  http2MaxContinuations: option({ flag: 'http2-max-continuations', group: 'HTTP/2', placeholder: 'N', parse: value.count, fallback: http2.wire.abuse.continuations, help: 'CONTINUATION frames of one request head.' }),
  http2PrioritiesPerStream: option({ flag: 'http2-priorities-per-stream', group: 'HTTP/2', placeholder: 'N', parse: value.count, fallback: http2.wire.abuse.prioritiesPerStream, help: 'PRIORITY frames for each request.' }),
  http2WindowUpdatesPerData: option({ flag: 'http2-window-updates-per-data', group: 'HTTP/2', placeholder: 'N', parse: value.positive, fallback: http2.wire.abuse.windowUpdatesPerData, help: 'WINDOW_UPDATE frames for each DATA frame that the client was sent.' }),
  http2MaxUnreadReplies: option({ flag: 'http2-max-unread-replies', group: 'HTTP/2', placeholder: 'N', parse: value.positive, fallback: http2.wire.abuse.unreadReplies, help: 'Answers to PING and SETTINGS frames that wait for a client which does not read.' }),

  maxRequestLine: option({ flag: 'max-request-line', group: 'Limits', placeholder: 'SIZE', parse: value.size, fallback: limits.requestLineBytes, help: 'Longest request line; longer: 414.' }),
  maxHead: option({ flag: 'max-head', group: 'Limits', placeholder: 'SIZE', parse: value.size, fallback: limits.headBytes, help: 'Largest request head; larger: 431.' }),
  maxHeadFields: option({ flag: 'max-head-fields', group: 'Limits', placeholder: 'N', parse: value.positive, fallback: limits.headFields, help: 'Most fields in a request head; more: 431.' }),
  maxBody: option({ flag: 'max-body', group: 'Limits', placeholder: 'SIZE', parse: value.size, fallback: limits.bodyBytes, help: 'Largest request body; larger: 413; 0: no limit.' }),
  maxResponseHead: option({ flag: 'max-response-head', group: 'Limits', placeholder: 'SIZE', parse: value.size, fallback: limits.responseHeadBytes, help: 'Largest response head of a backend; larger: 502.' }),
  maxConnections: option({ flag: 'max-connections', group: 'Limits', placeholder: 'N', parse: value.count, fallback: limits.connections, help: 'Client connections at once over all threads; more are closed; 0: no limit.' }),
  maxConnectionsPerClient: option({ flag: 'max-connections-per-client', group: 'Limits', placeholder: 'N', parse: value.count, fallback: limits.connectionsPerClient, help: 'Of those, from one client address (an IPv6 /64), except trusted proxies; more are closed; 0: no limit.' }),
  maxHandshakes: option({ flag: 'max-handshakes', group: 'Limits', placeholder: 'N', parse: value.count, fallback: limits.handshakes, help: 'TLS handshakes at once; more are closed; 0: no limit.' }),
  maxRequestsPerConnection: option({ flag: 'max-requests-per-connection', group: 'Limits', placeholder: 'N', parse: value.count, fallback: limits.requestsPerConnection, help: 'Requests on one client connection before it is closed; 0: no limit.' }),

  maxAffinityClients: option({ flag: 'max-affinity-clients', group: 'Limits', placeholder: 'N', parse: value.positive, fallback: DEFAULT_SETTINGS.affinityClients, help: 'Clients whose endpoint is remembered for sessionAffinity ClientIP; of more, those forgotten next make room. Each takes 33 bytes.' }),
  maxStreamConnections: option({ flag: 'max-stream-connections', group: 'Limits', placeholder: 'N', parse: value.count, fallback: streams.connectionsPerPort, help: 'Connections at once on one port of the TCP services; more are reset; 0: no limit.' }),
  maxUdpClients: option({ flag: 'max-udp-clients', group: 'Limits', placeholder: 'N', parse: value.positive, fallback: streams.udpClientsPerPort, help: 'Clients at once on one port of the UDP services; datagrams of more are dropped.' }),

  requestHeadTimeout: option({ flag: 'request-head-timeout', group: 'Timeouts', placeholder: 'TIME', parse: value.duration, fallback: timeouts.requestHead, help: 'For a whole request head; longer: 408.' }),
  requestBodyTimeout: option({ flag: 'request-body-timeout', group: 'Timeouts', placeholder: 'TIME', parse: value.duration, fallback: timeouts.requestBody, help: 'Between two reads of a request body; longer: 408.' }),
  keepAliveTimeout: option({ flag: 'keep-alive-timeout', group: 'Timeouts', placeholder: 'TIME', parse: value.duration, fallback: timeouts.keepAlive, help: 'How long an idle client connection is kept.' }),
  tlsHandshakeTimeout: option({ flag: 'tls-handshake-timeout', group: 'Timeouts', placeholder: 'TIME', parse: value.duration, fallback: timeouts.tlsHandshake, help: 'For a TLS handshake; longer: the connection is closed.' }),
  proxyProtocolHeaderTimeout: option({ flag: 'proxy-protocol-header-timeout', group: 'Timeouts', placeholder: 'TIME', parse: value.duration, fallback: streams.headerTimeout, help: 'For a PROXY protocol header where connections have to begin with one; longer: the connection is closed.' }),
  connectTimeout: option({ flag: 'connect-timeout', group: 'Timeouts', placeholder: 'TIME', parse: value.duration, fallback: timeouts.connect, help: 'For a connection to an endpoint; longer: the next endpoint, at last 504.' }),
  readTimeout: option({ flag: 'read-timeout', group: 'Timeouts', placeholder: 'TIME', parse: value.duration, fallback: timeouts.read, help: 'Between two reads from an endpoint; longer: 504.' }),
  sendTimeout: option({ flag: 'send-timeout', group: 'Timeouts', placeholder: 'TIME', parse: value.duration, fallback: timeouts.send, help: 'Between two writes to an endpoint; longer: 504.' }),
  tunnelIdleTimeout: option({ flag: 'tunnel-idle-timeout', group: 'Timeouts', placeholder: 'TIME', parse: value.duration, fallback: 0, shownFallback: 'as --read-timeout', help: 'How long an upgraded connection (WebSocket) may be silent in both directions.' }),
  streamIdleTimeout: option({ flag: 'stream-idle-timeout', group: 'Timeouts', placeholder: 'TIME', parse: value.duration, fallback: streams.idleTimeout, help: 'How long a connection of a TCP service may be silent.' }),
  udpIdleTimeout: option({ flag: 'udp-idle-timeout', group: 'Timeouts', placeholder: 'TIME', parse: value.duration, fallback: streams.udpIdleTimeout, help: 'After how much silence a client of a UDP service may get another endpoint.' }),

  maxIdlePerEndpoint: option({ flag: 'max-idle-per-endpoint', group: 'Pools', placeholder: 'N', parse: value.count, fallback: pool.idlePerEndpoint, help: 'Idle connections kept to an endpoint, per thread.' }),
  idleTimeout: option({ flag: 'idle-timeout', group: 'Pools', placeholder: 'TIME', parse: value.duration, fallback: pool.idleTimeout, help: 'How long an idle connection to an endpoint is kept.' }),
  maxRequestsPerEndpointConnection: option({ flag: 'max-requests-per-endpoint-connection', group: 'Pools', placeholder: 'N', parse: value.count, fallback: pool.requestsPerConnection, help: 'Requests on one HTTP/1.1 connection to an endpoint before it is closed; 0: no limit.' }),
  maxEndpointConnectionAge: option({ flag: 'max-endpoint-connection-age', group: 'Pools', placeholder: 'TIME', parse: value.duration, fallback: pool.connectionAge, help: 'Age at which such a connection is closed, once its request is over; 0: no limit.' }),
  maxConnectionsPerEndpoint: option({ flag: 'max-connections-per-endpoint', group: 'Pools', placeholder: 'N', parse: value.count, fallback: pool.connectionsPerEndpoint, help: 'Connections to an endpoint, per thread; 0: no limit.' }),
  maxSessionsPerEndpoint: option({ flag: 'max-sessions-per-endpoint', group: 'Pools', placeholder: 'N', parse: value.positive, fallback: pool.sessionsPerEndpoint, help: 'Connections of HTTP/2 (gRPC) to an endpoint, per thread, each with as many requests at once as the endpoint takes.' }),
  sessionPingInterval: option({ flag: 'session-ping-interval', group: 'Pools', placeholder: 'TIME', parse: value.duration, fallback: pool.sessionPingInterval, help: 'A PING to an HTTP/2 endpoint that was silent for so long while requests are open; 0: none. Many gRPC servers take it ill more often than every five minutes.' }),
  maxQueuePerEndpoint: option({ flag: 'max-queue-per-endpoint', group: 'Pools', placeholder: 'N', parse: value.count, fallback: pool.queuePerEndpoint, help: 'Requests that wait for one of those connections, per thread; more: 503; 0: none waits.' }),
  queueTimeout: option({ flag: 'queue-timeout', group: 'Pools', placeholder: 'TIME', parse: value.duration, fallback: pool.queueTimeout, help: 'How long they wait; longer: 503.' }),
  tries: option({ flag: 'tries', group: 'Pools', placeholder: 'N', parse: value.positive, fallback: pool.tries, help: 'Endpoints that one request is tried on when none of it was processed.' }),
  retryBudget: option({ flag: 'retry-budget', group: 'Pools', placeholder: 'PERCENT', parse: value.percentage, fallback: pool.retryShare * 100, help: "Tries on further endpoints, as a share of a backend's requests of the last 10 s; beyond it the client gets the failure." }),
  retryFloor: option({ flag: 'retry-floor', group: 'Pools', placeholder: 'N', parse: value.count, fallback: pool.retryFloor, help: 'Such tries that a backend may have in 10 s however few its requests are, per thread.' }),
  endpointWait: option({ flag: 'endpoint-wait', group: 'Pools', placeholder: 'TIME', parse: value.duration, fallback: pool.changeWait, help: 'How long a request whose endpoints refuse the connection waits for the Service to have others; longer: 502; 0: it does not wait.' }),
  maxEndpointWaits: option({ flag: 'max-endpoint-waits', group: 'Pools', placeholder: 'N', parse: value.count, fallback: pool.changeWaiters, help: 'Requests that wait so, per thread; more: 502 at once.' }),

  ejectAfterConnectFailures: option({ flag: 'eject-after-connect-failures', group: 'Health', placeholder: 'N', parse: value.count, fallback: health.connectFailures, help: 'Failed connections in a row after which an endpoint is out of use for a while; 0: none is for that.' }),
  ejectAfterBadAnswers: option({ flag: 'eject-after-bad-answers', group: 'Health', placeholder: 'N', parse: value.count, fallback: health.badAnswers, help: 'Bad answers in a row after which it is: new connections that it closed without a valid answer; 0: none is for that.' }),
  ejectOn5xx: option({ flag: 'eject-on-5xx', group: 'Health', placeholder: '', parse: value.boolean, fallback: health.count5xx, help: 'Answers of 500 and above are bad answers too.' }),
  ejectionTime: option({ flag: 'ejection-time', group: 'Health', placeholder: 'TIME', parse: value.duration, fallback: health.firstEjection, help: 'For how long the first time (a random half to all of it); twice as long each further time, as long as they come close together.' }),
  maxEjectionTime: option({ flag: 'max-ejection-time', group: 'Health', placeholder: 'TIME', parse: value.duration, fallback: health.longestEjection, help: 'For how long at most.' }),
  maxEjected: option({ flag: 'max-ejected', group: 'Health', placeholder: 'PERCENT', parse: value.percentage, fallback: health.largestShare * 100, help: "Of a backend's endpoints at most so many are out at once; where health checks find more, all are used." }),
  slowStart: option({ flag: 'slow-start', group: 'Health', placeholder: 'TIME', parse: value.duration, fallback: health.slowStart, help: 'Over this time an endpoint that comes back gets from a tenth to all of its share; 0: all at once.' }),

  serverHeader: option({ flag: 'server-header', group: 'Listeners', placeholder: 'TEXT', parse: value.headerValue, fallback: DEFAULT_SETTINGS.serverName, help: 'Server field of answers whose backend sent none; empty: none is added.' }),
  hsts: option({ flag: 'hsts', group: 'TLS', placeholder: '', parse: value.boolean, fallback: true, help: "Add Strict-Transport-Security to every answer over TLS, in place of the backend's." }),
  hstsMaxAge: option({ flag: 'hsts-max-age', group: 'TLS', placeholder: 'SECONDS', parse: value.count, fallback: 31_536_000, help: 'Its max-age: how long browsers use https only.' }),
  hstsIncludeSubdomains: option({ flag: 'hsts-include-subdomains', group: 'TLS', placeholder: '', parse: value.boolean, fallback: true, help: 'Its includeSubDomains: hosts below this one too.' }),
  hstsPreload: option({ flag: 'hsts-preload', group: 'TLS', placeholder: '', parse: value.boolean, fallback: false, help: "Its preload: browsers' lists may carry the host." }),
  sslProtocols: option<TlsVersions>({ flag: 'ssl-protocols', group: 'TLS', placeholder: 'LIST', parse: value.tlsVersions, fallback: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' }, shownFallback: 'TLSv1.2 TLSv1.3', help: 'Versions of TLS for clients, without a gap; TLSv1 and TLSv1.1 also need ciphers for them, with @SECLEVEL=0.' }),
  sslCiphers: option({ flag: 'ssl-ciphers', group: 'TLS', placeholder: 'LIST', parse: value.ciphers, fallback: '', shownFallback: "Mozilla's intermediate ones without DHE", help: "OpenSSL's list of ciphers for TLS 1.2 and before." }),
  sslPreferServerCiphers: option({ flag: 'ssl-prefer-server-ciphers', group: 'TLS', placeholder: '', parse: value.boolean, fallback: true, help: "Our order of ciphers counts, not the client's." }),
  enableSslPassthrough: option({ flag: 'enable-ssl-passthrough', group: 'TLS', placeholder: '', parse: value.boolean, fallback: true, help: 'Honour the annotation ssl-passthrough; without, hosts that ask for it answer 403.' }),
  ocspStapling: option({ flag: 'ocsp-stapling', group: 'TLS', placeholder: '', parse: value.boolean, fallback: true, help: 'Ask the OCSP responders that certificates name, and show their answers to clients that want them.' }),
  ocspTimeout: option({ flag: 'ocsp-timeout', group: 'TLS', placeholder: 'TIME', parse: value.duration, fallback: 10_000, help: 'How long a responder may take.' }),
  allowPrivateOcspResponders: option({ flag: 'allow-private-ocsp-responders', group: 'TLS', placeholder: '', parse: value.boolean, fallback: false, help: 'Ask responders at loopback, link-local and private addresses too: whoever may write a Secret then chooses what is asked.' }),
  sessionTicketSecret: option({ flag: 'session-ticket-secret', group: 'TLS', placeholder: 'NS/NAME', parse: value.namespacedName, fallback: '', shownFallback: 'made at start', help: 'Secret whose ticket.key (32 characters or more) makes TLS sessions resume on all replicas that have it.' }),

  drainDelay: option({ flag: 'drain-delay', group: 'Life cycle', placeholder: 'TIME', parse: value.duration, fallback: 0, help: 'After SIGTERM: how long to go on accepting while /readyz fails.' }),
  drainTimeout: option({ flag: 'drain-timeout', group: 'Life cycle', placeholder: 'TIME', parse: value.duration, fallback: 240_000, sandboxFallback: 5000, help: 'After that: how long requests in flight may take.' }),
  logLevel: option<LogLevel>({ flag: 'log-level', group: 'Logs', placeholder: 'LEVEL', parse: value.choice('debug', 'info', 'warn', 'error'), fallback: 'info', sandboxFallback: 'warn', help: 'debug, info, warn or error; logs are JSON lines on standard output.' }),
  accessLog: option({ flag: 'access-log', group: 'Logs', placeholder: '', parse: value.boolean, fallback: false, help: 'One JSON line per request on standard output.' }),
} as const

export type OptionName = keyof typeof OPTIONS

/** The table in its order. */
export const OPTION_LIST = Object.entries(OPTIONS) as [OptionName, Option<unknown>][]

type Values = { readonly [Name in OptionName]: (typeof OPTIONS)[Name] extends Option<infer T> ? T : never }

/** All options with their values, frozen. Options of another command hold their default. */
export type Config = Values

/** `NARTHEX_HTTP_PORT` for `http-port`. */
export function environmentName(flag: string): string {
  return `NARTHEX_${flag.toUpperCase().replaceAll('-', '_')}`
}
