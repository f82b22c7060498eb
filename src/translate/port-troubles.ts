// What only the threads find out: a port of a TCP or UDP service that can't be listened on. Told where it was written, like any mistake.
import type { Diagnostic } from '../model/diagnostic.ts'
import type { RoutingConfig, Stream } from '../model/routing.ts'
import { error } from './report.ts'

const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has it',
  EACCES: 'the system reserves it (ports below 1024 need CAP_NET_BIND_SERVICE or net.ipv4.ip_unprivileged_port_start)',
  EADDRNOTAVAIL: 'the address to listen on is not one of this machine',
}

/** `troubles`: stream id to the code of the system's error. The same object comes back when there are none. */
export function withPortTroubles<T extends { readonly config: RoutingConfig; readonly diagnostics: readonly Diagnostic[] }>(translation: T, troubles: ReadonlyMap<string, string>): T {
  const found = [...troubles].flatMap(([id, code]) => {
    const stream = translation.config.streams.get(id)
    return stream === undefined ? [] : [unavailable(stream, code)]
  })
  return found.length === 0 ? translation : { ...translation, diagnostics: [...translation.diagnostics, ...found] }
}

function unavailable({ protocol, port, source }: Stream, code: string): Diagnostic {
  return error('StreamPortUnavailable', source.object, {
    field: source.field,
    message: `${protocol} port ${port} can't be listened on: ${CAUSES[code] ?? code}; it is tried again, and everything else is served.`,
    fix: 'Free the port, or use another one as the key.',
  })
}
