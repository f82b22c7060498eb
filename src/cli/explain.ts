// narthex explain URL: which rule serves it and why, from a running controller.
import type { Explanation } from '../admin/explain.ts'
import { UsageError } from '../config/parse.ts'
import { formatRef } from '../model/object-ref.ts'
import type { CommandFunction } from './command.ts'
import { outputFormat, parseFlags } from './flags.ts'
import { columns } from './route-table.ts'
import { DEFAULT_ADMIN, fetchAdmin } from './source.ts'

export const explain: CommandFunction = async ({ args, env, out }) => {
  const { values, positionals } = parseFlags('explain', args, {
    header: { type: 'string', short: 'H', multiple: true, default: [] },
    method: { type: 'string', short: 'X', default: 'GET' },
    from: { type: 'string' },
    output: { type: 'string', short: 'o', default: 'text' },
    admin: { type: 'string', default: env['NARTHEX_ADMIN'] ?? DEFAULT_ADMIN },
  })
  const [url, ...others] = positionals
  if (url === undefined || others.length > 0) throw new UsageError('narthex explain: wants one URL: narthex explain http://host/path')
  const format = outputFormat('explain', values.output)
  const from: [string, string][] = values.from === undefined ? [] : [['from', values.from]]
  const query = new URLSearchParams([['url', url], ['method', values.method], ...values.header.map((line) => ['header', line]), ...from])
  const explanation = await fetchAdmin<Explanation>(values.admin, `/api/explain?${query}`)
  out(format === 'json' ? `${JSON.stringify(explanation, null, 2)}\n` : explanationText(explanation))
  return 0
}

/** The outcome first, then what it is made of, then what else was considered. */
export function explanationText({ request, outcome, location, route, backend, endpoint, certificate, filters, candidates, candidatesLeftOut, diagnostics }: Explanation): string {
  const facts: [string, string][] = [
    ['request', `${request.method} ${request.scheme}://${request.host}${request.path}`],
    ['outcome', outcome],
  ]
  if (location !== null) facts.push(['location', location])
  if (route !== null) facts.push(['rule', `${route.source.kind} ${route.source.namespace}/${route.source.name} ${route.source.field}`])
  if (backend !== null) {
    facts.push(['backend', `${backend.id}, scheduler ${backend.scheduler}`])
    facts.push(['endpoints', backend.endpoints.length === 0 ? 'none' : backend.endpoints.map((endpoint) => `${endpoint.id}${endpoint.podName === undefined ? '' : ` (${endpoint.podName})`}`).join(', ')])
  }
  if (endpoint !== null) facts.push(['endpoint', `${endpoint.id ?? 'not known before'}: ${endpoint.why}`])
  if (certificate !== null) facts.push(['certificate', 'why' in certificate ? certificate.why : `${certificate.id} for ${certificate.names.join(', ')}, until ${certificate.notAfter}`])
  for (const filter of filters) facts.push(['filter', filter])
  for (const { severity, object, field, message } of diagnostics) facts.push([severity, `${formatRef(object)} ${field}: ${message}`])
  const considered = candidates.map((each) => [`  ${each.verdict}`, `${each.host}${each.route.path}`, each.route.pathType, each.why])
  const more = candidatesLeftOut > 0 ? `  and ${candidatesLeftOut} more\n` : ''
  return `${columns(facts)}${considered.length === 0 ? '' : `\nconsidered:\n${columns(considered)}`}${more}`
}
