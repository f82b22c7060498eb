// Says what can't be listened on: one line for all where the cause is one (rights, addresses), one for each port that another program has.
import type { VirtualServer } from './virtual-servers.ts'

export interface OpenTroubles {
  failed(server: VirtualServer, code: string): void
  opened(server: VirtualServer): void
}

/** Told once for all. */
const GENERAL: Readonly<Record<string, string>> = {
  EACCES: 'ports below 1024 of Services stay closed, because this user may not open them; allow it with "sysctl -w net.ipv4.ip_unprivileged_port_start=0", or give the Service a port from 1024 on',
  EADDRNOTAVAIL: 'addresses of Services stay closed, because this system has no loopback addresses but 127.0.0.1; NodePorts answer',
  EMFILE: 'some addresses of Services stay closed, because too many files are open; raise "ulimit -n"',
}

export function createOpenTroubles(log: (line: string) => void): OpenTroubles {
  const told = new Set<string>()
  return {
    failed({ id, service, kind }, code) {
      const general = GENERAL[code]
      const key = general === undefined ? id : code
      if (told.has(key)) return
      told.add(key)
      log(`kube-proxy: ${general === undefined ? `${id} (${kind} of ${service}) can't be listened on: ${code === 'EADDRINUSE' ? 'another program has it' : code}` : `${general} (first: ${id} of ${service})`}`)
    },
    opened: ({ id }) => void told.delete(id),
  }
}
