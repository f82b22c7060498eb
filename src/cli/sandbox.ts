// narthex sandbox: the embedded Kubernetes API, its controllers and pods, and the ingress controller against it.
import { createWriteStream } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { routingView } from '../admin/routing-view.ts'
import type { Config } from '../config/options.ts'
import { parseConfig } from '../config/parse.ts'
import { connectToUrl } from '../kube/connection.ts'
import { dnsLookup, type Lookup } from '../dns/lookup.ts'
import { CLUSTER_DOMAIN } from '../sandbox/dns/cluster-zone.ts'
import { exposeIngress } from '../sandbox/ingress-services.ts'
import { startSandbox, type Sandbox } from '../sandbox/sandbox.ts'
import { sandboxBanner } from './banner.ts'
import type { CommandContext, CommandFunction } from './command.ts'
import { createLogger } from './logger.ts'
import { namingPort } from './port-errors.ts'
import { reachableHosts } from './route-table.ts'
import { listenForStop } from './signals.ts'
import { reachableAddress, startController, type RunningController } from './start-controller.ts'

export const sandbox: CommandFunction = async (context) => {
  const { args, env, out, err, exitNow } = context
  const parsed = parseConfig('sandbox', args, env)
  const { config } = parsed
  const { stopped } = listenForStop(exitNow)
  const cluster = await startCluster(config, context)
  let controller: RunningController | undefined
  try {
    controller = config.apiOnly ? undefined : await startController(parsed, connectToUrl(cluster.url), createLogger(config.logLevel), lookupIn(cluster, config))
    await controller?.ready
    if (controller !== undefined) exposeIngress(cluster.registry, { address: reachableAddress(config.address), ...controller.ports })
  } catch (error) {
    await controller?.close()
    await cluster.close()
    throw error
  }
  const address = reachableAddress(config.address)
  const ports = controller?.ports
  const hosts = controller === undefined ? [] : reachableHosts(routingView(controller.routing()))
  out(sandboxBanner({ command: narthexCommand(), apiUrl: cluster.url, dnsPort: cluster.dnsPort, kubeconfig: resolve(config.kubeconfigOut), address, ports, hosts, applied: config.apply }))
  const listening = Object.entries({ ...ports, api: cluster.port, ...(cluster.dnsPort !== undefined && { dns: cluster.dnsPort }) }).map(([name, port]) => `${name}=${address}:${port}`)
  err(`narthex: ${listening.join(' ')} ready\n`)
  await stopped
  // Requests in flight are answered by pods: those end last.
  await controller?.drain()
  await controller?.close()
  await cluster.close()
  return 0
}

/** What to type for `narthex`: of a checkout, which is on no PATH, the file in bin/. */
function narthexCommand(): string {
  const entry = process.argv[1] ?? ''
  return entry.endsWith('.ts') ? `node ${relative(process.cwd(), resolve(dirname(entry), '../bin/narthex.js'))}` : 'narthex'
}

/** Names of the cluster are asked of its own DNS, which knows no others, and the rest as everywhere. */
function lookupIn({ dnsPort }: Sandbox, { address, dnsServer }: Config): Lookup {
  const outside = dnsLookup(dnsServer)
  if (dnsPort === undefined) return outside
  const host = reachableAddress(address)
  const inside = dnsLookup([`${host.includes(':') ? `[${host}]` : host}:${dnsPort}`])
  return (name) => (name.endsWith(`.${CLUSTER_DOMAIN}`) ? inside(name) : outside(name))
}

async function startCluster(config: Config, { err }: CommandContext): Promise<Sandbox> {
  const cluster = await namingPort((port) => (port !== 0 && port === config.dnsPort ? '--dns-port' : '--api-port'), config.address, config.apiPort, () =>
    startSandbox({
      apiPort: config.apiPort,
      address: config.address,
      kubeconfigPath: config.kubeconfigOut,
      apply: config.apply,
      rbac: config.rbac,
      kubeProxy: config.kubeProxy,
      dnsPort: config.dnsPort,
      log: (line) => err(`sandbox: ${line}\n`),
    }),
  )
  if (config.auditLogPath !== '') {
    const audit = createWriteStream(config.auditLogPath, { flags: 'a', mode: 0o600 })
    audit.on('error', (error) => err(`sandbox: --audit-log-path ${config.auditLogPath}: ${error.message}\n`))
    cluster.onRequest((request) => audit.write(`${JSON.stringify(request)}\n`))
  }
  return cluster
}
