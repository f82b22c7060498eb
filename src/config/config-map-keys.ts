// Every key that a ConfigMap of ingress-nginx may have, in the groups of the documentation. A key that is not here is unknown.
import { SCHEDULERS, type Scheduler } from '../model/scheduler.ts'
import { DEFAULT_SETTINGS } from '../model/settings.ts'
import { closes, ignored, refused, sets, setsAll, time, type ConfigMapKey } from './config-map-key.ts'
import * as value from './values.ts'

const OFF = ['false']
const INTERNAL = 'it is about the inside of nginx'
const START = 'it can not change while Narthex runs'
const LINES = 'the access log is JSON lines with fields of its own'
const SNIPPET = 'text for nginx.conf means nothing here, and letting it in has been the way into many clusters'

const LARGEST_HEAD = 1024 ** 2

/** `4 8k`: no line longer than one buffer, the whole head no longer than all of them. */
function headBuffers(text: string): { readonly maxRequestLine: number; readonly maxHead: number } {
  const [number = '', size = '', ...rest] = text.split(/\s+/)
  const maxRequestLine = value.size(size)
  const maxHead = value.positive(number) * maxRequestLine
  if (rest.length > 0 || maxRequestLine === 0 || maxHead > LARGEST_HEAD) throw new value.ValueError(`wants a number and a size such as 4 8k, 1m in all at most, got "${text}"`)
  return { maxRequestLine, maxHead }
}

function scheduler(text: string): Scheduler {
  return text === 'round_robin' ? 'rr' : value.choice(...SCHEDULERS)(text)
}

export const CONFIG_MAP_KEYS: Readonly<Record<string, readonly ConfigMapKey[]>> = {
  Balancing: [
    sets('load-balance', 'scheduler', scheduler, '`round_robin` (which is `rr`), `ewma`, and every name of docs/balancing.md'),
    ignored('service-upstream', 'it is an annotation only', OFF, 'Set the annotation service-upstream where it is wanted.'),
  ],
  'HTTPS and redirects': [
    sets('hsts', 'hsts', value.boolean),
    sets('hsts-max-age', 'hstsMaxAge', value.count),
    sets('hsts-include-subdomains', 'hstsIncludeSubdomains', value.boolean),
    sets('hsts-preload', 'hstsPreload', value.boolean),
    sets('ssl-redirect', 'sslRedirect', value.boolean),
    sets('force-ssl-redirect', 'forceSslRedirect', value.boolean),
    sets('http-redirect-code', 'httpRedirectCode', value.redirectStatus, 'another number is an error, not 308'),
    sets('no-tls-redirect-locations', 'noTlsRedirectLocations', value.pathList),
    ignored('preserve-trailing-slash', 'one slash at the end of a redirect to https is cut', OFF),
    ignored('use-port-in-redirects', 'redirects carry the port of --public-https-port', OFF, 'Use --public-https-port.'),
    ignored('relative-redirects', 'redirects name scheme and host', OFF),
  ],
  TLS: [
    sets('ssl-protocols', 'sslProtocols', value.tlsVersions, 'a list with a gap is an error'),
    sets('ssl-ciphers', 'sslCiphers', value.ciphers),
    sets('ssl-prefer-server-ciphers', 'sslPreferServerCiphers', value.boolean),
    ...['ssl-ecdh-curve', 'ssl-dh-param'].map((key) => ignored(key, 'groups are those of OpenSSL', ['auto'])),
    ...['ssl-session-cache', 'ssl-session-cache-size', 'ssl-session-timeout'].map((key) => ignored(key, 'sessions resume by tickets, not from a cache')),
    ignored('ssl-session-tickets', 'sessions resume by tickets', ['true']),
    ignored('ssl-session-ticket-key', 'keys of tickets come from a Secret', [], 'Use --session-ticket-secret.'),
    ignored('ssl-buffer-size', INTERNAL),
    ignored('ssl-early-data', 'requests in early data can be replayed and are not taken', OFF),
    ignored('ssl-reject-handshake', 'names without a certificate are shown the default one', OFF),
    sets('enable-ocsp', 'ocspStapling', value.boolean, 'on unless it says `false`'),
    ignored('proxy-ssl-location-only', 'backends over TLS are set for each Ingress', OFF),
  ],
  'Client address': [
    sets('use-forwarded-headers', 'useForwardedHeaders', value.boolean, 'believes nobody, and is refused, without proxy-real-ip-cidr'),
    sets('proxy-real-ip-cidr', 'proxyRealIpCidr', value.prefixList, 'nobody is trusted until it is set; in ingress-nginx everybody is'),
    sets('compute-full-forwarded-for', 'computeFullForwardedFor', value.boolean),
    sets('forwarded-for-header', 'forwardedForHeader', value.chainField),
    sets('use-proxy-protocol', 'useProxyProtocol', value.boolean, 'refused without proxy-real-ip-cidr or --proxy-protocol-cidr'),
    sets('proxy-protocol-header-timeout', 'proxyProtocolHeaderTimeout', time),
    ignored('enable-real-ip', 'whoever may name the client may name host and scheme too', OFF, 'Use use-forwarded-headers and proxy-real-ip-cidr.'),
    ignored('forwarded-for-proxy-protocol-header', 'the field is not sent'),
  ],
  'Limits of clients': [
    sets('client-header-timeout', 'requestHeadTimeout', time),
    sets('client-body-timeout', 'requestBodyTimeout', time),
    sets('keep-alive', 'keepAliveTimeout', time, 'for one request a connection set `keep-alive-requests: "1"`, not 0'),
    sets('keep-alive-requests', 'maxRequestsPerConnection', value.positive),
    sets('proxy-body-size', 'maxBody', value.size),
    setsAll('large-client-header-buffers', ['maxRequestLine', 'maxHead'], headBuffers, 'the longest request line, and as many times that for the whole head; 1m at most'),
    ...['client-header-buffer-size', 'client-body-buffer-size'].map((key) => ignored(key, 'buffers grow as they are needed')),
    ...['limit-rate', 'limit-rate-after'].map((key) => ignored(key, 'answers are sent as fast as clients take them', ['0'])),
    ...['limit-req-status-code', 'limit-conn-status-code'].map((key) => ignored(key, 'there are no limits that would answer with it')),
    ignored('limit-conn-zone-variable', 'there are no limits that it would be the key of'),
  ],
  Endpoints: [
    sets('proxy-connect-timeout', 'connectTimeout', time),
    sets('proxy-read-timeout', 'readTimeout', time),
    sets('proxy-send-timeout', 'sendTimeout', time),
    sets('proxy-next-upstream-tries', 'tries', value.positive, '0 (no limit) is an error'),
    sets('upstream-keepalive-connections', 'maxIdlePerEndpoint', value.count, 'for each endpoint and thread'),
    sets('upstream-keepalive-timeout', 'idleTimeout', time),
    sets('upstream-keepalive-time', 'maxEndpointConnectionAge', time),
    sets('upstream-keepalive-requests', 'maxRequestsPerEndpointConnection', value.positive),
    setsAll('proxy-stream-timeout', ['streamIdleTimeout', 'udpIdleTimeout'], (text) => ({ streamIdleTimeout: time(text), udpIdleTimeout: time(text) }), ''),
    ...['proxy-stream-next-upstream', 'proxy-stream-next-upstream-timeout', 'proxy-stream-next-upstream-tries'].map((key) => ignored(key, 'connections of TCP services are tried as often as proxy-next-upstream-tries says', ['true', '3'])),
    ignored('proxy-stream-responses', 'UDP clients may get any number of datagrams'),
    ignored('proxy-next-upstream', 'requests that were not processed are tried on the next endpoint; Ingresses have an annotation of that name', ['error timeout'], 'Use the annotation on the Ingresses that need it.'),
    ignored('proxy-next-upstream-timeout', 'tries have no time limit of their own; Ingresses have an annotation of that name', ['0'], 'Use the annotation on the Ingresses that need it.'),
    ignored('retry-non-idempotent', 'requests that may have been processed are not sent twice, but where an Ingress says so', OFF, 'Use the annotation proxy-next-upstream with non_idempotent.'),
    ignored('proxy-http-version', 'backend-protocol of an Ingress says what its backends are spoken to in', ['1.1']),
    ...['proxy-buffering', 'proxy-request-buffering'].map((key) => ignored(key, 'bodies are streamed in both directions', ['off'])),
    ...['proxy-buffer-size', 'proxy-buffers-number', 'proxy-busy-buffers-size', 'proxy-max-temp-file-size'].map((key) => ignored(key, 'bodies are streamed, and heads have --max-response-head')),
  ],
  Fields: [
    sets('server-tokens', 'serverHeader', (text) => (value.boolean(text) ? DEFAULT_SETTINGS.serverName : ''), 'the Server field of answers whose backend sent none'),
    ignored('allow-backend-server-header', "a backend's Server field is passed on", ['true']),
    ...['add-headers', 'proxy-set-headers', 'hide-headers', 'global-allowed-response-headers'].map((key) => ignored(key, 'fields are neither added nor taken away by the user')),
    ...['proxy-cookie-domain', 'proxy-cookie-path', 'proxy-redirect-from', 'proxy-redirect-to'].map((key) => ignored(key, 'answers of backends are not rewritten', ['off'])),
    ignored('proxy-add-original-uri-header', 'X-Original-URI is not sent', OFF),
    ignored('enable-underscores-in-headers', 'fields with an underscore are taken away', OFF),
    ignored('ignore-invalid-headers', 'requests with invalid fields are refused', ['true']),
    ignored('generate-request-id', 'every request has an id', ['true']),
    ignored('default-type', 'the type of an answer is what its backend says', ['text/html']),
  ],
  Protection: [
    ...['whitelist-source-range', 'denylist-source-range', 'block-cidrs', 'block-user-agents', 'block-referers'].map((key) => closes(key, 'nobody is kept out by it')),
    closes('global-auth-url', 'nobody is asked who they are'),
    ...['global-auth-method', 'global-auth-signin', 'global-auth-signin-redirect-param', 'global-auth-response-headers', 'global-auth-request-redirect', 'global-auth-cache-key', 'global-auth-cache-duration', 'global-auth-always-set-cookie', 'no-auth-locations'].map((key) =>
      ignored(key, 'it says how global-auth-url is asked, and that is not asked'),
    ),
    ...['enable-modsecurity', 'enable-owasp-modsecurity-crs'].map((key) => closes(key, 'there is no web application firewall', OFF)),
    ...['main-snippet', 'http-snippet', 'server-snippet', 'location-snippet', 'stream-snippet', 'global-auth-snippet', 'modsecurity-snippet'].map((key) => refused(key, SNIPPET)),
    refused('allow-snippet-annotations', SNIPPET, OFF),
    ...['annotations-risk-level', 'annotation-value-word-blocklist'].map((key) => ignored(key, 'values are parsed and never become configuration text')),
    ignored('allow-cross-namespace-resources', 'objects of other namespaces are not read', OFF),
    ignored('strict-validate-path-type', 'paths are text, never patterns'),
    ...['global-rate-limit-memcached-host', 'global-rate-limit-memcached-port', 'global-rate-limit-memcached-connect-timeout', 'global-rate-limit-memcached-max-idle-timeout', 'global-rate-limit-memcached-pool-size', 'global-rate-limit-status-code'].map((key) =>
      ignored(key, 'there are no rate limits over replicas'),
    ),
  ],
  'HTTP/2': [
    sets('use-http2', 'http2', value.boolean),
    sets('http2-max-concurrent-streams', 'http2MaxStreams', value.positive),
    ...['http2-max-field-size', 'http2-max-header-size'].map((key) => ignored(key, 'heads have the limits of large-client-header-buffers, and --http2-max-header-list')),
    ignored('http2-max-requests', 'requests of a connection have one limit whatever is spoken', [], 'Use keep-alive-requests.'),
  ],
  'Compression and error pages': [
    ...['use-gzip', 'enable-brotli'].map((key) => ignored(key, 'bodies are passed on as they are', OFF)),
    ...['gzip-level', 'gzip-types', 'gzip-min-length', 'gzip-disable', 'brotli-level', 'brotli-types', 'brotli-min-length'].map((key) => ignored(key, 'bodies are passed on as they are')),
    ignored('custom-http-errors', "errors are answered by the backend or by Narthex' own pages"),
    ignored('disable-proxy-intercept-errors', "a backend's error answers are passed on", ['true']),
  ],
  Logs: [
    ...['log-format-upstream', 'log-format-stream', 'log-format-escape-json', 'log-format-escape-none', 'access-log-params', 'access-log-path', 'http-access-log-path', 'stream-access-log-path', 'skip-access-log-urls', 'enable-access-log-for-default-backend'].map((key) => ignored(key, LINES)),
    ignored('disable-access-log', START, [], 'Use --access-log.'),
    ...['error-log-level', 'error-log-path'].map((key) => ignored(key, START, [], 'Use --log-level; logs go to standard output.')),
    ...['enable-syslog', 'syslog-host', 'syslog-port'].map((key) => ignored(key, 'logs go to standard output', OFF)),
    ignored('enable-opentelemetry', 'requests are not traced', OFF),
    ...['opentelemetry-config', 'opentelemetry-operation-name', 'opentelemetry-trust-incoming-span', 'otlp-collector-host', 'otlp-collector-port', 'otel-max-queuesize', 'otel-max-export-batch-size', 'otel-schedule-delay-millis', 'otel-sampler', 'otel-sampler-ratio', 'otel-sampler-parent-based', 'otel-service-name'].map((key) =>
      ignored(key, 'requests are not traced'),
    ),
  ],
  'Life cycle and processes': [
    sets('worker-shutdown-timeout', 'drainTimeout', value.duration),
    ignored('worker-processes', START, [], 'Use --threads.'),
    ignored('max-worker-connections', START, [], 'Use --max-connections.'),
    ignored('bind-address', START, [], 'Use --address.'),
    ignored('disable-ipv6', START, OFF, 'Use --address=0.0.0.0.'),
    ignored('disable-ipv6-dns', 'external names are used with all their addresses', OFF),
    ignored('enable-serial-reloads', 'nothing is reloaded', OFF),
    ...['worker-cpu-affinity', 'max-worker-open-files', 'enable-multi-accept', 'reuse-port', 'map-hash-bucket-size', 'server-name-hash-max-size', 'server-name-hash-bucket-size', 'proxy-headers-hash-max-size', 'proxy-headers-hash-bucket-size', 'variables-hash-bucket-size', 'variables-hash-max-size', 'lua-shared-dicts', 'plugins', 'debug-connections', 'use-geoip', 'use-geoip2', 'geoip2-autoreload-in-minutes', 'nginx-status-ipv4-whitelist', 'nginx-status-ipv6-whitelist'].map(
      (key) => ignored(key, INTERNAL, OFF),
    ),
  ],
}

export const CONFIG_MAP_KEY: ReadonlyMap<string, ConfigMapKey> = new Map(Object.values(CONFIG_MAP_KEYS).flatMap((group) => group.map((each) => [each.key, each] as const)))
