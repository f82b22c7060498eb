// The virtual servers as `ipvsadm -Ln` lays them out, and as JSON.
import type { ListedServer } from './kube-proxy.ts'

const HEAD = [
  'Virtual servers of the sandbox (in user space)',
  'Prot LocalAddress:Port Scheduler Flags',
  '  -> RemoteAddress:Port           Forward Weight ActiveConn TotalConns',
]

export function listingText(servers: readonly ListedServer[]): string {
  return `${[...HEAD, ...servers.flatMap(linesOf)].join('\n')}\n`
}

function linesOf({ server, realServers, closed }: ListedServer): readonly string[] {
  const { protocol, address, port, scheduler, affinity, kind, service } = server
  const flags = [...(affinity === undefined ? [] : [`persistent ${affinity.timeoutMs / 1000}`]), ...(closed === undefined ? [] : [`closed (${closed})`])]
  return [
    [`${protocol}  ${address}:${port} ${scheduler}`, ...flags, `# ${kind} ${service}`].join(' '),
    ...realServers.map(({ id, weight, active, total }) => `  -> ${id.padEnd(28)} Masq    ${String(weight).padEnd(6)} ${String(active).padEnd(10)} ${total}`),
  ]
}

export function listingJson(servers: readonly ListedServer[]): unknown {
  return servers.map(({ server: { protocol, address, port, scheduler, affinity, kind, service }, realServers, closed }) => ({
    protocol,
    address,
    port,
    kind,
    service,
    scheduler,
    persistentSeconds: affinity === undefined ? null : affinity.timeoutMs / 1000,
    closed: closed ?? null,
    realServers: realServers.map(({ id, weight, active, total }) => ({ address: id, weight, activeConnections: active, totalConnections: total })),
  }))
}
