// docs/annotations.md: every annotation that is known by name, and what becomes of it.
import { ANNOTATION_GROUPS } from './table.ts'
import type { AnnotationSpec, Effect, PendingAnnotation } from './spec.ts'

const HEAD = `# Annotations

Read on an Ingress under \`narthex.ingress.kubernetes.io/\` (which wins) and \`nginx.ingress.kubernetes.io/\` (\`--annotations-prefix\`). Values that ask
for nothing beyond what Narthex does anyway pass in silence; any other annotation below that is not honoured leaves an Event, \`AnnotationUnsupported\`, as does
one that is not listed here. \`narthex check\` says the same before anything is applied. Settings for all Ingresses are in the [ConfigMap](configmap.md).

<!-- Generated from src/translate/annotations/ by \`npm run docs\`. -->
`

const HAPPENS: Readonly<Record<Effect, string>> = {
  ignored: 'served without it',
  'close-path': 'the paths of the Ingress answer 503',
  'close-host': 'all paths of its hosts answer 503',
  'leave-out': 'the Ingress adds no routes',
}

/** One that asks for something, one that is no switch, one that guards access: an annotation may treat them differently. */
const SAMPLES = ['true', 'x', 'deny all']

export function annotationDocs(): string {
  const groups = Object.entries(ANNOTATION_GROUPS).map(([name, specs]) => {
    const rows = specs.map((spec) => `| \`${spec.name}\` | ${spec.kind === 'pending' ? notHonoured(spec) : `honoured: ${pageOf(spec)}`} |`)
    return `\n## ${name.charAt(0).toUpperCase()}${name.slice(1).replace('tls', 'TLS')}\n\n| annotation | |\n|---|---|\n${rows.join('\n')}\n`
  })
  return HEAD + groups.join('')
}

function notHonoured({ asks, effect }: PendingAnnotation): string {
  const effects = [...new Set(SAMPLES.map(effect).filter((each) => each !== undefined))]
  const happens = effects.map((each) => HAPPENS[each])
  return `not honoured (${asks}): ${happens.join('; where it guards access, ')}`
}

function pageOf({ kind, name }: Exclude<AnnotationSpec, PendingAnnotation>): string {
  if (kind === 'boolean') return '[redirects to https](ingress.md#tls)'
  if (kind === 'affinity') return '[session affinity](services.md#session-affinity)'
  if (kind === 'protocol') return '[backends](protocols.md#backends)'
  if (kind === 'client-tls') return clientTlsPage(name)
  if (kind === 'retry') return '[retries](protocols.md#retries)'
  if (kind === 'timeout') return '[timeouts](protocols.md#timeouts)'
  if (name.startsWith('health-check')) return '[health checks](health.md#health-checks)'
  return name === 'service-upstream' ? '[service-upstream](services.md#service-upstream)' : '[balancing](balancing.md#choosing-one)'
}

function clientTlsPage(name: string): string {
  if (name.startsWith('auth-tls')) return '[client certificates](tls.md#client-certificates)'
  return name.startsWith('ssl-passthrough') ? '[passthrough](tls.md#passthrough)' : '[versions, ciphers, HTTP/2](tls.md#versions-ciphers-http2)'
}
