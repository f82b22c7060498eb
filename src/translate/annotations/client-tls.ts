// TLS towards the client, client certificates among it.
import { clientTls, type AnnotationSpec } from './spec.ts'

export const CLIENT_TLS: readonly AnnotationSpec[] = [
  clientTls('auth-tls-secret'),
  clientTls('auth-tls-verify-client'),
  clientTls('auth-tls-verify-depth'),
  clientTls('auth-tls-error-page'),
  clientTls('auth-tls-pass-certificate-to-upstream'),
  clientTls('auth-tls-match-cn'),
  clientTls('ssl-ciphers'),
  clientTls('ssl-prefer-server-ciphers'),
  clientTls('ssl-protocols'),
  clientTls('use-http2'),
  clientTls('ssl-passthrough'),
  clientTls('ssl-passthrough-proxy-protocol'),
]
