// Names that ingress-nginx itself no longer reads but that are still found in the wild.

export const REMOVED: ReadonlySet<string> = new Set([
  'session-cookie-hash', 'secure-verify-ca-secret', 'secure-backends', 'grpc-backend', 'add-base-url', 'base-url-scheme',
  'influxdb-host', 'influxdb-port', 'influxdb-measurement', 'influxdb-server-name', 'enable-influxdb',
  'enable-opentracing', 'opentracing-trust-incoming-span',
  'global-rate-limit', 'global-rate-limit-window', 'global-rate-limit-key', 'global-rate-limit-ignored-cidrs',
])
