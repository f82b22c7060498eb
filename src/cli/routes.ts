// narthex routes: the live table of a running controller, or of files, and how to try it.
import { routingView, type RoutingView } from '../admin/routing-view.ts'
import type { Listeners } from '../admin/view.ts'
import type { CommandFunction } from './command.ts'
import { outputFormat, parseFlags } from './flags.ts'
import { curlLines, hostsFileLines } from './host-lines.ts'
import { OFFLINE_FLAGS, offlineOptions } from './offline-flags.ts'
import { translateFiles } from './offline.ts'
import { reachableHosts, routeTable } from './route-table.ts'
import { DEFAULT_ADMIN, fetchAdmin } from './source.ts'

const MOST_CURL_LINES = 10

export const routes: CommandFunction = async ({ args, env, out }) => {
  const { values, positionals } = parseFlags('routes', args, {
    output: { type: 'string', short: 'o', default: 'text' },
    admin: { type: 'string', default: env['NARTHEX_ADMIN'] ?? DEFAULT_ADMIN },
    ...OFFLINE_FLAGS,
  })
  const format = outputFormat('routes', values.output)
  if (positionals.length > 0) {
    const { translate, configMap } = offlineOptions('routes', values)
    const view = routingView(translateFiles(positionals, translate, configMap).config)
    out(format === 'json' ? json(view) : routeTable(view))
    return 0
  }
  const view = await fetchAdmin<RoutingView & { readonly listeners: Listeners }>(values.admin, '/api/routes')
  if (format === 'json') {
    out(json(view))
    return 0
  }
  out(routeTable(view))
  const hosts = reachableHosts(view)
  const names = hostsFileLines(view.listeners.address, hosts)
  if (names.length > 0) out(`\nFor /etc/hosts:\n${names.map((line) => `  ${line}\n`).join('')}`)
  const lines = curlLines(view.listeners, hosts, MOST_CURL_LINES)
  if (lines.length > 0) out(`\nTry:\n${lines.map((line) => `  ${line}\n`).join('')}`)
  return 0
}

function json(view: unknown): string {
  return `${JSON.stringify(view, null, 2)}\n`
}
