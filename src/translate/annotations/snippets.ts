// Fragments of nginx configuration: never supported. One that guards access closes what it was to guard.
import { closesPath, ignored, isEmpty, isFalse, pending, type AnnotationSpec } from './spec.ts'

/** Directives that keep requests out. Matched anywhere: a word too many closes a path in public, a word too few opens it in silence. */
const GUARD = /\b(?:deny|allow|auth_\w+|satisfy|return|internal|access_by_\w+|limit_except|valid_referers|secure_link|limit_req|limit_conn|ssl_verify_client|modsecurity\w*)\b/i

export const SNIPPETS: readonly AnnotationSpec[] = [
  pending('configuration-snippet', 'nginx configuration', (value) => (value === '' ? undefined : GUARD.test(value) ? 'close-path' : 'ignored')),
  pending('server-snippet', 'nginx configuration', (value) => (value === '' ? undefined : GUARD.test(value) ? 'close-host' : 'ignored')),
  ignored('stream-snippet', 'nginx configuration'),
  closesPath('auth-snippet', 'nginx configuration for authentication', isEmpty),
  closesPath('enable-modsecurity', 'a web application firewall', isFalse),
  closesPath('enable-owasp-core-rules', 'a web application firewall', isFalse),
  closesPath('modsecurity-snippet', 'a web application firewall', isEmpty),
  ignored('modsecurity-transaction-id', 'an id in web application firewall logs'),
]
