// TLS towards the client, client certificates among it.
import { closesHost, ignored, ignoredSwitch, isEmpty, isFalse, type AnnotationSpec } from './spec.ts'

export const CLIENT_TLS: readonly AnnotationSpec[] = [
  closesHost('auth-tls-secret', 'client certificates', isEmpty),
  closesHost('auth-tls-verify-client', 'client certificates', (value) => value === '' || value === 'off'),
  ignored('auth-tls-verify-depth', 'a length of client certificate chains'),
  ignored('auth-tls-error-page', 'an error page for missing client certificates'),
  ignoredSwitch('auth-tls-pass-certificate-to-upstream', 'the client certificate towards the backend'),
  closesHost('auth-tls-match-cn', 'a check of the client certificate’s subject', isEmpty),
  ignored('ssl-ciphers', 'a list of ciphers'),
  ignored('ssl-prefer-server-ciphers', 'an order of ciphers', ['true', 'on']),
  closesHost('ssl-passthrough', 'TLS that is not terminated here', isFalse),
]
