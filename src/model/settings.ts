// Settings of the data plane that hold for every host: what a thread gets at start. Times in milliseconds, sizes in bytes.
import { DEFAULT_TLS, type TlsSettings } from './tls.ts'
import { DEFAULT_HTTP2_SETTINGS, type Http2Settings } from './http2-settings.ts'

export interface ProxySettings {
  /** Value of the Server field added to answers that have none; empty: none is added. */
  readonly serverName: string
  readonly tls: TlsSettings
  /** Value of the Strict-Transport-Security field of all answers over TLS; empty: none. */
  readonly hsts: string
  /** Where clients come in, whatever is listened on: X-Forwarded-Port has it. `publicHttpPort` 0: the port that is listened on. */
  readonly publicHttpPort: number
  /** Redirects to https carry it too; 443 is left out of Location. */
  readonly publicHttpsPort: number
  /** Path prefixes that are never redirected to https (ACME challenges). */
  readonly noTlsRedirectPaths: readonly string[]
  readonly client: ClientSettings
  readonly limits: Limits
  readonly timeouts: Timeouts
  readonly pool: PoolSettings
  readonly health: HealthSettings
  /** Clients whose endpoint is remembered for sessionAffinity ClientIP, over all threads and Services. */
  readonly affinityClients: number
  readonly streams: StreamSettings
  readonly http2: ClientHttp2Settings
}

/** HTTP/2 with clients. */
export interface ClientHttp2Settings {
  /** Offered by ALPN. */
  readonly overTls: boolean
  /** Without TLS, for clients that begin with it (RFC 9113 section 3.3); never by an upgrade. */
  readonly cleartext: boolean
  readonly wire: Http2Settings
}

/** Who may say whom a request is from. */
export interface ClientSettings {
  /** Addresses and prefixes of proxies whose X-Forwarded fields are believed; empty: nobody's. */
  readonly trustedProxies: readonly string[]
  /** Field with the chain of client addresses, lower case. */
  readonly forwardedForField: string
  /** To the backend goes the chain with the proxy's own address behind it; otherwise the client's address alone. */
  readonly fullForwardedFor: boolean
  /** Undefined: connections begin without a PROXY protocol header. */
  readonly proxyProtocol: ProxyProtocolSettings | undefined
}

/** Every connection begins with a header. */
export interface ProxyProtocolSettings {
  /** Addresses and prefixes that connections may come from; others are closed. */
  readonly senders: readonly string[]
  readonly headerTimeout: number
}

export interface Limits {
  /** Longer: 414. */
  readonly requestLineBytes: number
  /** All fields with their line ends. Longer: 431. */
  readonly headBytes: number
  /** More: 431. */
  readonly headFields: number
  /** Larger: 413; 0: no limit. */
  readonly bodyBytes: number
  /** Response head from a backend. Longer: 502. */
  readonly responseHeadBytes: number
  /** Connections accepted at once over all threads; more are closed at accept. 0: no limit. */
  readonly connections: number
  /** Of those, of one client address (an IPv6 /64), trusted proxies excepted. 0: no limit. */
  readonly connectionsPerClient: number
  /** TLS handshakes at once, over all threads; more are closed. 0: no limit. */
  readonly handshakes: number
  /** Requests served on one client connection before it is closed. 0: no limit. */
  readonly requestsPerConnection: number
}

export interface Timeouts {
  /** From the first byte of a head (or accept) to its end: 408. */
  readonly requestHead: number
  /** Between two reads of a request body: 408. */
  readonly requestBody: number
  /** Idle keep-alive connection of a client. */
  readonly keepAlive: number
  readonly tlsHandshake: number
  /** For a ClientHello. */
  readonly clientHello: number
  /** 504. */
  readonly connect: number
  /** Between two reads from the backend: 504 before the head, else the connection is cut. */
  readonly read: number
  /** Between two writes to the backend. */
  readonly send: number
  /** An upgraded connection without a byte in either direction. */
  readonly tunnel: number
}

export interface PoolSettings {
  /** Idle connections kept per endpoint and thread. */
  readonly idlePerEndpoint: number
  readonly idleTimeout: number
  /** Of HTTP/1.1, after which a connection is closed; 0: no limit. */
  readonly requestsPerConnection: number
  /** Milliseconds after which one of HTTP/1.1 is closed with the end of its request; 0: no limit. */
  readonly connectionAge: number
  /** Open connections per endpoint and thread; 0: no limit. */
  readonly connectionsPerEndpoint: number
  /** Connections of HTTP/2 per endpoint and thread, each with as many streams as the backend takes. More requests wait. */
  readonly sessionsPerEndpoint: number
  /** A PING to an HTTP/2 backend after so long without a byte from it while requests are open; 0: none. */
  readonly sessionPingInterval: number
  /** Requests that wait for one of them, per endpoint and thread. More: 503. */
  readonly queuePerEndpoint: number
  /** Longer: 503. */
  readonly queueTimeout: number
  /** Tries of one request on different endpoints, the first included. */
  readonly tries: number
  /** Retries that a backend may have, as a share of its requests of the last ten seconds. */
  readonly retryShare: number
  /** Retries that it may have in ten seconds however few the requests, per thread. */
  readonly retryFloor: number
  /** Milliseconds that a request waits for other endpoints when those of its backend refuse the connection; 0: it fails at once. */
  readonly changeWait: number
  /** Requests that wait so, per thread. More fail at once. */
  readonly changeWaiters: number
}

/** When an endpoint is taken out of use for what its connections and answers were like. */
export interface HealthSettings {
  /** Connections in a row that could not be made; 0: never for that. */
  readonly connectFailures: number
  /** Bad answers in a row; 0: never for that. */
  readonly badAnswers: number
  /** Whether an answer of 500 or above is a bad one; else only none at all, or no valid one, over a new connection. */
  readonly count5xx: boolean
  /** How long the first time; each further one twice as long. */
  readonly firstEjection: number
  readonly longestEjection: number
  /** Of a backend's endpoints, at most so large a share is out; if more are, all are used. */
  readonly largestShare: number
  /** For so long after it has come back an endpoint has less than its share; 0: all of it at once. */
  readonly slowStart: number
}

/** Of TCP and UDP services. */
export interface StreamSettings {
  /** Without a byte in either direction. */
  readonly idleTimeout: number
  /** Without a datagram in either direction: then the client is forgotten. */
  readonly udpIdleTimeout: number
  /** For a PROXY protocol header that a client has to begin with. */
  readonly headerTimeout: number
  /** Of one port, over all threads; more are reset at accept. 0: no limit. */
  readonly connectionsPerPort: number
  /** Clients of one UDP port at once, over all threads; datagrams of more are dropped. */
  readonly udpClientsPerPort: number
}

/** As ingress-nginx has them where it has one (reference: ConfigMap options). */
export const DEFAULT_SETTINGS: ProxySettings = Object.freeze({
  serverName: 'narthex',
  tls: DEFAULT_TLS,
  hsts: 'max-age=31536000; includeSubDomains',
  publicHttpPort: 0,
  publicHttpsPort: 443,
  noTlsRedirectPaths: ['/.well-known/acme-challenge'],
  client: { trustedProxies: [], forwardedForField: 'x-forwarded-for', fullForwardedFor: false, proxyProtocol: undefined },
  limits: {
    requestLineBytes: 8 * 1024,
    headBytes: 32 * 1024,
    headFields: 100,
    bodyBytes: 1024 * 1024,
    responseHeadBytes: 32 * 1024,
    connections: 16_384,
    connectionsPerClient: 0,
    handshakes: 4096,
    requestsPerConnection: 1000,
  },
  timeouts: {
    requestHead: 60_000,
    requestBody: 60_000,
    keepAlive: 75_000,
    tlsHandshake: 10_000,
    clientHello: 5_000,
    connect: 5_000,
    read: 60_000,
    send: 60_000,
    tunnel: 60_000,
  },
  pool: { idlePerEndpoint: 320, idleTimeout: 60_000, requestsPerConnection: 10_000, connectionAge: 3_600_000, connectionsPerEndpoint: 0, sessionsPerEndpoint: 32, sessionPingInterval: 0, queuePerEndpoint: 128, queueTimeout: 5000, tries: 3, retryShare: 0.2, retryFloor: 10, changeWait: 1000, changeWaiters: 1000 },
  health: { connectFailures: 1, badAnswers: 5, count5xx: false, firstEjection: 1000, longestEjection: 60_000, largestShare: 0.5, slowStart: 10_000 },
  affinityClients: 65_536,
  streams: { idleTimeout: 600_000, udpIdleTimeout: 60_000, headerTimeout: 5_000, connectionsPerPort: 4096, udpClientsPerPort: 4096 },
  // Room for what HTTP/1 limits allow, counted as HTTP/2 counts.
  http2: { overTls: true, cleartext: false, wire: { ...DEFAULT_HTTP2_SETTINGS, headerListBytes: 48 * 1024 } },
})
