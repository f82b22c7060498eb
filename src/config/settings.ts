// From the options to what a data-plane thread gets.
import { DEFAULT_SETTINGS, type ClientHttp2Settings, type ProxySettings } from '../model/settings.ts'
import type { Config } from './options.ts'

/** `httpsPort` is the port that really listens (an option of 0 has become a number). */
export function proxySettings(config: Config, httpsPort: number): ProxySettings {
  return {
    ...DEFAULT_SETTINGS,
    serverName: config.serverHeader,
    tls: { ...config.sslProtocols, ciphers: config.sslCiphers === '' ? undefined : config.sslCiphers, preferServerCiphers: config.sslPreferServerCiphers },
    hsts: hstsValue(config),
    noTlsRedirectPaths: config.noTlsRedirectLocations,
    publicHttpPort: config.publicHttpPort,
    publicHttpsPort: config.publicHttpsPort === 0 ? httpsPort : config.publicHttpsPort,
    client: {
      trustedProxies: config.useForwardedHeaders ? config.proxyRealIpCidr : [],
      forwardedForField: config.forwardedForHeader,
      fullForwardedFor: config.computeFullForwardedFor,
      proxyProtocol: config.useProxyProtocol ? { senders: proxyProtocolSenders(config), headerTimeout: config.proxyProtocolHeaderTimeout } : undefined,
    },
    limits: {
      requestLineBytes: config.maxRequestLine,
      headBytes: config.maxHead,
      headFields: config.maxHeadFields,
      bodyBytes: config.maxBody,
      responseHeadBytes: config.maxResponseHead,
      connections: config.maxConnections,
      connectionsPerClient: config.maxConnectionsPerClient,
      handshakes: config.maxHandshakes,
      requestsPerConnection: config.maxRequestsPerConnection,
    },
    timeouts: {
      requestHead: config.requestHeadTimeout,
      requestBody: config.requestBodyTimeout,
      keepAlive: config.keepAliveTimeout,
      tlsHandshake: config.tlsHandshakeTimeout,
      clientHello: Math.min(config.tlsHandshakeTimeout, DEFAULT_SETTINGS.timeouts.clientHello),
      connect: config.connectTimeout,
      read: config.readTimeout,
      send: config.sendTimeout,
      tunnel: config.tunnelIdleTimeout === 0 ? config.readTimeout : config.tunnelIdleTimeout,
    },
    pool: {
      idlePerEndpoint: config.maxIdlePerEndpoint,
      requestsPerConnection: config.maxRequestsPerEndpointConnection,
      connectionAge: config.maxEndpointConnectionAge,
      idleTimeout: config.idleTimeout,
      connectionsPerEndpoint: config.maxConnectionsPerEndpoint,
      sessionsPerEndpoint: config.maxSessionsPerEndpoint,
      sessionPingInterval: config.sessionPingInterval,
      queuePerEndpoint: config.maxQueuePerEndpoint,
      queueTimeout: config.queueTimeout,
      tries: config.tries,
      retryShare: config.retryBudget / 100,
      retryFloor: config.retryFloor,
      changeWait: config.endpointWait,
      changeWaiters: config.maxEndpointWaits,
    },
    health: {
      connectFailures: config.ejectAfterConnectFailures,
      badAnswers: config.ejectAfterBadAnswers,
      count5xx: config.ejectOn5xx,
      firstEjection: config.ejectionTime,
      longestEjection: config.maxEjectionTime,
      largestShare: config.maxEjected / 100,
      slowStart: config.slowStart,
    },
    affinityClients: config.maxAffinityClients,
    streams: {
      idleTimeout: config.streamIdleTimeout,
      udpIdleTimeout: config.udpIdleTimeout,
      headerTimeout: config.proxyProtocolHeaderTimeout,
      connectionsPerPort: config.maxStreamConnections,
      udpClientsPerPort: config.maxUdpClients,
    },
    http2: http2Settings(config),
  }
}

function http2Settings(config: Config): ClientHttp2Settings {
  const { wire } = DEFAULT_SETTINGS.http2
  return {
    overTls: config.http2,
    cleartext: config.h2c,
    wire: {
      ...wire,
      concurrentStreams: config.http2MaxStreams,
      headerListBytes: config.http2MaxHeaderList,
      streamWindow: config.http2StreamWindow,
      connectionWindow: Math.max(config.http2ConnectionWindow, 65_535),
      pingInterval: config.http2PingInterval,
      pingTimeout: config.http2PingTimeout,
      headTimeout: config.requestHeadTimeout,
      stallTimeout: config.sendTimeout,
      abuse: {
        resetBurst: config.http2ResetBurst,
        resetsPerSecond: config.http2ResetsPerSecond,
        controlBurst: config.http2ControlBurst,
        controlPerSecond: config.http2ControlPerSecond,
        continuations: config.http2MaxContinuations,
        prioritiesPerStream: config.http2PrioritiesPerStream,
        windowUpdatesPerData: config.http2WindowUpdatesPerData,
        unreadReplies: config.http2MaxUnreadReplies,
      },
    },
  }
}

/** Who may send PROXY protocol headers. */
export function proxyProtocolSenders({ proxyProtocolCidr, proxyRealIpCidr }: Config): readonly string[] {
  return proxyProtocolCidr.length === 0 ? proxyRealIpCidr : proxyProtocolCidr
}

/** RFC 6797 section 6.1. */
function hstsValue({ hsts, hstsMaxAge, hstsIncludeSubdomains, hstsPreload }: Config): string {
  if (!hsts) return ''
  return `max-age=${hstsMaxAge}${hstsIncludeSubdomains ? '; includeSubDomains' : ''}${hstsPreload ? '; preload' : ''}`
}
