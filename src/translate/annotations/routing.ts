// Routing and rewriting.
import { ignored, ignoredSwitch, type AnnotationSpec } from './spec.ts'

export const ROUTING: readonly AnnotationSpec[] = [
  ignored('rewrite-target', 'another path towards the backend'),
  ignoredSwitch('use-regex', 'paths that are regular expressions (they are matched as plain prefixes)'),
  ignored('app-root', 'a redirect of `/`'),
  ignored('server-alias', 'further host names'),
  ignored('upstream-vhost', 'another Host field towards the backend'),
  ignored('x-forwarded-prefix', 'an X-Forwarded-Prefix field'),
  ignoredSwitch('use-port-in-redirects', 'the port in redirects'),
  ignoredSwitch('relative-redirects', 'relative redirects'),
]
