// Redirects.
import { boolean, ignored, ignoredSwitch, type AnnotationSpec } from './spec.ts'

export const REDIRECT: readonly AnnotationSpec[] = [
  boolean('ssl-redirect', 'sslRedirect'),
  boolean('force-ssl-redirect', 'forceSslRedirect'),
  ignoredSwitch('preserve-trailing-slash', 'the trailing slash in redirects to https'),
  ignored('permanent-redirect', 'a permanent redirect'),
  ignored('permanent-redirect-code', 'another status of the permanent redirect'),
  ignored('temporal-redirect', 'a temporary redirect'),
  ignored('temporal-redirect-code', 'another status of the temporary redirect'),
  ignoredSwitch('from-to-www-redirect', 'a redirect between a host and its www. form'),
]
