// A TLS listener whose certificates a test changes as it likes.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { systemClock } from '../../src/base/clock.ts'
import type { Log } from '../../src/base/log.ts'
import { TimerWheel } from '../../src/base/timer-wheel.ts'
import { createContexts, type Contexts } from '../../src/http/tls/contexts.ts'
import { createTlsFront, readFirstBytes } from '../../src/http/tls/front.ts'
import type { KeyPair } from '../../src/http/tls/default-certificate.ts'
import { EMPTY_ROUTING, type Certificate, type RoutingConfig } from '../../src/model/routing.ts'
import { ticketKeysAt } from '../../src/http/tls/ticket-keys.ts'
import { certificateLookup } from '../../src/runtime/certificate-lookup.ts'
import { compileTable, type Table } from '../../src/table/table.ts'

export const ticketSecret = randomBytes(32)

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
  listen(protocols?: readonly string[]): Promise<number>
  close(): void
}

export function tlsFixture(defaultCertificate: KeyPair, config: RoutingConfig, limit?: number): Fixture {
  let table: Table = compileTable(config)
  const lines: string[] = []
  const closers: (() => void)[] = []
  const log: Log = (level, message, facts) => lines.push(`${level} ${message} ${JSON.stringify(facts)}`)
  const ticketKeys = ticketKeysAt(ticketSecret, 0)
  const contexts = createContexts({ lookup: certificateLookup(() => table), defaultCertificate, ticketKeys, log, ...(limit === undefined ? {} : { limit }) })
  return {
    contexts,
    lines,
    use(next) {
      table = compileTable(next)
      contexts.refresh()
    },
    async listen(protocols = ['http/1.1']) {
      const wheel = new TimerWheel(systemClock)
      const front = createTlsFront(
        { contexts, wheel, protocols: () => protocols, helloTimeout: 5000, handshakeTimeout: 5000, handshakes: 0 },
        {
          established: (socket) => void socket.on('error', () => undefined).on('data', (data) => socket.write(data)),
          failed: () => undefined,
          refused: () => undefined,
        },
      )
      const server = createServer((socket) => {
        const first = front.accept(socket.on('error', () => undefined))
        if (first !== undefined) readFirstBytes(socket, first)
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      closers.push(() => {
        server.close()
        front.close()
        wheel.stop()
      })
      const address = server.address()
      return typeof address === 'object' && address !== null ? address.port : 0
    },
    close() {
      for (const close of closers) close()
    },
  }
}
