// The controller in one process: connection, store, translation, threads, status and the admin server, put together.
import { existsSync, readFileSync } from 'node:fs'
import { systemClock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { startAdmin } from '../admin/server.ts'
import type { Config } from '../config/options.ts'
import type { Arguments } from '../config/parse.ts'
import { dnsLookup, type Lookup } from '../dns/lookup.ts'
import { createNames } from '../dns/names.ts'
import { fieldLine } from '../http/http1/field-lines.ts'
import { hostName } from '../http/http1/host.ts'
import { normalisePath } from '../http/http1/path.ts'
import { createDefaultCertificate } from '../http/tls/default-certificate.ts'
import type { Connection } from '../kube/connection.ts'
import { startNodeZone, type NodeZone } from '../kube/node-zone.ts'
import { startStore, type LiveStoreOptions } from '../kube/start-store.ts'
import { EMPTY_ROUTING, type RoutingConfig } from '../model/routing.ts'
import { NO_FIGURES } from '../observe/figures.ts'
import { createController } from '../runtime/controller.ts'
import { startDataPlane, type DataPlane } from '../runtime/data-plane.ts'
import { startStatus, type StatusOptions } from '../status/start-status.ts'
import type { AddressSource } from '../status/published-addresses.ts'
import { withPortTroubles } from '../translate/port-troubles.ts'
import { createMemo, translate, type Translation } from '../translate/translate.ts'
import { createLiveConfig } from './live-config.ts'
import { namingPort } from './port-errors.ts'
import { startStapling } from './stapling.ts'
import { version } from './version.ts'
import { followTicketSecret } from './ticket-secret.ts'

export interface RunningController {
  readonly ports: { readonly http: number; readonly https: number; readonly admin: number }
  /** Resolves when every thread accepts traffic with the first full table; waits as long as the API server can't be reached. */
  readonly ready: Promise<void>
  /** What is served now. */
  routing(): RoutingConfig
  /** Fails readiness, waits, stops accepting, lets requests in flight end; answers how many connections were cut. */
  drain(): Promise<number>
  /** Ends everything at once. */
  close(): Promise<void>
}

export type ParsedOptions = Pick<Arguments, 'config' | 'given'>

const LONGEST_WAIT_FOR_NAMES_MS = 3000

/** Throws CommandError naming the option when a port can't be had. */
export async function startController(parsed: ParsedOptions, connection: Connection, log: Log, lookup: Lookup = dnsLookup(parsed.config.dnsServer)): Promise<RunningController> {
  const { config } = parsed
  let notReady: string | undefined = 'the first list of the cluster has not arrived'
  let shuttingDown = false
  let plane: DataPlane | undefined
  let nodeZone: NodeZone | undefined
  const live = createLiveConfig(parsed)

  const certificate = createDefaultCertificate()
  const store = startStore({ connection, namespace: config.watchNamespace, also: namedObjects(config), configMaps: namedConfigMaps(config), log })
  const memo = createMemo()
  const status = startStatus({ connection, addresses: publishedFrom(config), log, ...(config.disableLeaderElection ? {} : { election: electionFrom(config) }) })
  const names = createNames({
    lookup,
    settings: { minTtl: config.dnsMinTtl, maxTtl: config.dnsMaxTtl, keep: config.dnsKeep, most: config.maxExternalNames },
    clock: systemClock,
    random: Math.random,
    onChange: () => controller.markDirty(),
  })
  const stapler = startStapling(config, lookup, log, () => controller.markDirty())
  const translateNow = (now: number): Translation => {
    const state = store.state()
    live.read(state.configMaps)
    const translation = translate(state, live.options(), memo, now, names.resolved(), stapler.staples())
    names.want(translation.externalNames)
    stapler.want(translation.config.certificates, live.options().ocspStapling)
    return live.withDiagnostics(translation)
  }
  const followTickets = followTicketSecret(config.sessionTicketSecret, log, (secret) => plane?.setTicketSecret(secret))
  const controller = createController({
    translate: (now) => withPortTroubles({ ...translateNow(now), state: store.state() }, plane?.streamTroubles() ?? new Map()),
    apply(routing) {
      followTickets(store.state().secrets)
      return plane?.apply(routing, live.settings()) ?? Promise.resolve()
    },
    publish: (translation) => status.update(translation),
    log,
  })
  const routing = (): RoutingConfig => controller.current()?.config ?? EMPTY_ROUTING

  const close = async (): Promise<void> => {
    nodeZone?.stop()
    names.close()
    stapler.close()
    await controller.close()
    await Promise.all([status.stop(), store.stop(), plane?.close(), admin?.close()])
    await connection.close()
  }

  const adminAddress = config.adminAddress === '' ? config.address : config.adminAddress
  let admin: Awaited<ReturnType<typeof startAdmin>> | undefined
  try {
    admin = await namingPort('--admin-port', adminAddress, config.adminPort, () =>
      startAdmin({
        port: config.adminPort,
        address: adminAddress,
        log,
        view: {
          version: version(),
          notReady: () => notReady,
          isShuttingDown: () => shuttingDown,
          listeners: () => ({ address: reachableAddress(config.address), httpPort: plane?.ports[0] ?? 0, httpsPort: plane?.ports[1] ?? 0 }),
          config: routing,
          diagnostics: () => controller.current()?.diagnostics ?? [],
          settings: live.settings,
          endpointFor: (backendId, { address, host, path, target, headers }) =>
            plane?.foresee(backendId, { request: { hostName: host, target, fields: headers.map(([name, value]) => fieldLine(name, value)).join('') }, path, origin: { address }, client: { clientPort: 0 } }),
          dataPlane: async () => (await plane?.stats()) ?? { ...NO_FIGURES, threads: 0, restarts: 0, version: 0 },
          loop: () => controller.figures(),
          leads: status.leads,
          watchRestarts: () => Object.fromEntries(store.facts().map(({ kind, watches }) => [kind, Math.max(0, watches - 1)])),
          hostName,
          normalisePath,
        },
      }),
    )
    const flagOf = (port: number): string => (port === config.httpPort ? '--http-port' : '--https-port')
    plane = await namingPort(flagOf, config.address, config.httpPort, async () =>
      startDataPlane({
        settings: ([, https = config.httpsPort]) => live.setHttpsPort(https),
        listeners: [
          { port: config.httpPort, address: config.address, tls: false },
          { port: config.httpsPort, address: config.address, tls: true },
        ],
        threads: config.threads,
        defaultCertificate: await certificate,
        log,
        onStreamTrouble: () => controller.markDirty(),
        ...(config.accessLog ? { accessLog: (lines: string) => void process.stdout.write(lines) } : {}),
      }),
    )
  } catch (error) {
    await close()
    throw error
  }

  live.reserve([...plane.ports, admin.port])
  if (config.nodeName !== '' && config.zone === '' && !config.ignoreTrafficPolicies) {
    nodeZone = startNodeZone({
      connection,
      node: config.nodeName,
      log,
      onZone(zone) {
        live.setZone(zone)
        controller.markDirty()
      },
    })
  }
  store.onDirty(controller.markDirty)
  const ready = Promise.all([store.synced, nodeZone?.tried]).then(async () => {
    notReady = 'the first table is not live in every thread'
    // Its external names, too, where DNS is not slow, and the OCSP responses that clients insist on.
    translateNow(systemClock.now())
    await Promise.race([Promise.all([names.settled(), stapler.settled()]), new Promise((resolve) => systemClock.after(LONGEST_WAIT_FOR_NAMES_MS, () => resolve(undefined)))])
    await controller.start()
    notReady = undefined
  })
  const [http = 0, https = 0] = plane.ports
  return {
    ports: { http, https, admin: admin.port },
    ready,
    routing,
    close,
    async drain() {
      shuttingDown = true
      await new Promise((resolve) => setTimeout(resolve, config.drainDelay))
      return (await plane?.drain(live.config().drainTimeout)) ?? 0
    },
  }
}

/** What a client on this machine connects to. */
export function reachableAddress(listening: string): string {
  if (listening === '' || listening === '0.0.0.0') return '127.0.0.1'
  return listening === '::' ? '::1' : listening
}

function publishedFrom(config: Config): AddressSource | undefined {
  if (config.publishStatusAddress.length > 0) return { addresses: config.publishStatusAddress }
  return config.publishService === '' ? undefined : { service: config.publishService }
}

const OWN_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'

function electionFrom({ electionId, electionNamespace, electionTtl }: Config): NonNullable<StatusOptions['election']> {
  const own = electionNamespace === '' && existsSync(OWN_NAMESPACE) ? readFileSync(OWN_NAMESPACE, 'utf8').trim() : electionNamespace
  return { lease: { namespace: own === '' ? 'default' : own, name: electionId }, ttl: electionTtl }
}

function namedConfigMaps(config: Config): readonly string[] {
  return [config.configmap, config.tcpServicesConfigmap, config.udpServicesConfigmap].filter((key) => key !== '')
}

/** Objects outside --watch-namespace that options name. */
function namedObjects(config: Config): NonNullable<LiveStoreOptions['also']> {
  return [
    { kind: 'Service' as const, key: config.publishService },
    { kind: 'Service' as const, key: config.defaultBackendService },
    { kind: 'Secret' as const, key: config.defaultSslCertificate },
    { kind: 'Secret' as const, key: config.sessionTicketSecret },
  ].filter(({ key }) => key !== '')
}
