// A TLS listener whose certificates a test changes as it likes.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:tls'
import type { Log } from '../../src/base/log.ts'
import { createContexts, type Contexts } from '../../src/http/tls/contexts.ts'
import type { KeyPair } from '../../src/http/tls/default-certificate.ts'
import { EMPTY_ROUTING, type Certificate, type RoutingConfig } from '../../src/model/routing.ts'
import { compileTable, serverName, type Table } from '../../src/table/table.ts'

const ticketKeys = randomBytes(48)

export function configOf(certificates: readonly Certificate[], names: Readonly<Record<string, readonly string[]>>, defaultId?: string): RoutingConfig {
  return {
    ...EMPTY_ROUTING,
    certificates: new Map(certificates.map((certificate) => [certificate.id, certificate])),
    serverNames: new Map(Object.entries(names).map(([name, ids]) => [name, { certificates: ids }])),
    defaultCertificate: defaultId,
  }
}

export interface Fixture {
  readonly contexts: Contexts
  readonly lines: string[]
  use(config: RoutingConfig): void
  /** On any free port, which it answers; all are closed by `close`. */
  listen(): Promise<number>
  close(): void
}

export function tlsFixture(defaultCertificate: KeyPair, config: RoutingConfig, limit?: number): Fixture {
  let table: Table = compileTable(config)
  const lines: string[] = []
  const closers: (() => void)[] = []
  const log: Log = (level, message, facts) => lines.push(`${level} ${message} ${JSON.stringify(facts)}`)
  const lookup = { idsFor: (name?: string) => serverName(table, name), certificate: (id: string) => table.config.certificates.get(id) }
  const contexts = createContexts({ lookup, defaultCertificate, ticketKeys, log, ...(limit === undefined ? {} : { limit }) })
  return {
    contexts,
    lines,
    use(next) {
      table = compileTable(next, table)
      contexts.refresh()
    },
    async listen() {
      const server = createServer(contexts.serverOptions(), (socket) => socket.on('error', () => undefined).on('data', (data) => socket.write(data)))
      contexts.attach(server)
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      closers.push(() => server.close())
      const address = server.address()
      return typeof address === 'object' && address !== null ? address.port : 0
    },
    close() {
      for (const close of closers) close()
    },
  }
}
