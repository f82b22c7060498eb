// Basic, digest and external authentication, and access by address. Whatever of these can't be honoured closes the paths.
import { closesPath, ignored, ignoredSwitch, isEmpty, type AnnotationSpec } from './spec.ts'

export const AUTHENTICATION: readonly AnnotationSpec[] = [
  closesPath('auth-type', 'authentication', isEmpty),
  closesPath('auth-secret', 'authentication', isEmpty),
  ignored('auth-secret-type', 'a form of the password Secret'),
  ignored('auth-realm', 'a realm of authentication'),
  closesPath('auth-url', 'external authentication', isEmpty),
  ignored('auth-method', 'a method of the authentication request'),
  ignored('auth-signin', 'a sign-in page'),
  ignored('auth-signin-redirect-param', 'a parameter of the sign-in page'),
  ignored('auth-response-headers', 'fields from the authentication answer'),
  ignored('auth-request-redirect', 'an X-Auth-Request-Redirect field'),
  ignored('auth-proxy-set-headers', 'fields of the authentication request'),
  ignoredSwitch('auth-always-set-cookie', 'cookies of the authentication answer'),
  ignored('auth-cache-key', 'a cache of authentication answers'),
  ignored('auth-cache-duration', 'a cache of authentication answers'),
  ignored('auth-keepalive', 'connections to the authentication service'),
  ignored('auth-keepalive-share-vars', 'connections to the authentication service'),
  ignored('auth-keepalive-requests', 'connections to the authentication service'),
  ignored('auth-keepalive-timeout', 'connections to the authentication service'),
  // Without a global authentication URL there is nothing that either value could switch.
  ignored('enable-global-auth', 'global authentication', ['true', 'false']),
  ignored('satisfy', 'any one of several access rules', ['all']),
  // An empty list lets nobody in, so it closes the path as well.
  closesPath('allowlist-source-range', 'a list of allowed client addresses'),
  closesPath('whitelist-source-range', 'a list of allowed client addresses'),
  closesPath('denylist-source-range', 'a list of denied client addresses'),
]
