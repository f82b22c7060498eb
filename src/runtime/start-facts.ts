// What every thread is told when it starts, as it is at that moment: settings, shared cells, the keys of session tickets.
import { randomBytes, randomInt } from 'node:crypto'
import { clientCells } from '../balance/client-table.ts'
import type { Clock } from '../base/clock.ts'
import type { KeyPair } from '../http/tls/default-certificate.ts'
import { ticketKeysAt, untilRotation, type TicketKeys } from '../http/tls/ticket-keys.ts'
import type { ProxySettings } from '../model/settings.ts'
import { admissionCells } from '../proxy/admission.ts'
import type { ThreadStart } from './messages.ts'
import type { ClaimedPorts } from './ports.ts'

export interface StartFactsOptions {
  /** For all threads together. */
  readonly settings: ProxySettings
  readonly threads: number
  readonly claimed: ClaimedPorts
  readonly defaultCertificate: KeyPair
  readonly accessLog: boolean
  readonly clock: Clock
  /** There are new ones, for the threads that have started. */
  readonly onTicketKeys: (keys: TicketKeys) => void
}

export interface StartFacts {
  current(): Omit<ThreadStart, 'thread'>
  /** Answers one thread's share of them. */
  configure(settings: ProxySettings): ProxySettings
  /** Undefined: one for this process alone, as at first. */
  setTicketSecret(secret: Uint8Array | undefined): void
  close(): void
}

export function createStartFacts({ settings, threads, claimed, defaultCertificate, accessLog, clock, onTicketKeys }: StartFactsOptions): StartFacts {
  let secret: Uint8Array = randomBytes(32)
  let cancelRotation: () => void
  let facts: Omit<ThreadStart, 'thread'> = {
    settings: shareOf(settings, threads),
    admission: admissionCells(threads, settings.limits, () => randomInt(2 ** 32)),
    clients: clientCells(settings.affinityClients, randomBytes(16).toString('base64url')),
    listeners: claimed.listeners,
    reusePort: claimed.reusePort,
    defaultCertificate,
    ticketKeys: ticketKeysAt(secret, clock.now()),
    accessLog,
  }

  function renew(): void {
    facts = { ...facts, ticketKeys: ticketKeysAt(secret, clock.now()) }
    onTicketKeys(facts.ticketKeys)
  }

  function awaitRotation(): void {
    cancelRotation = clock.after(untilRotation(clock.now()), () => {
      renew()
      awaitRotation()
    })
  }

  awaitRotation()
  return {
    current: () => facts,
    configure(next) {
      facts = { ...facts, settings: shareOf(next, threads) }
      return facts.settings
    },
    setTicketSecret(next) {
      secret = next ?? randomBytes(32)
      renew()
    },
    close: () => cancelRotation(),
  }
}

/** The kernel spreads connections evenly, so each thread may have its part of them. */
function shareOf(settings: ProxySettings, threads: number): ProxySettings {
  const { streams, limits } = settings
  return {
    ...settings,
    limits: { ...limits, handshakes: Math.ceil(limits.handshakes / threads) },
    streams: { ...streams, connectionsPerPort: Math.ceil(streams.connectionsPerPort / threads), udpClientsPerPort: Math.ceil(streams.udpClientsPerPort / threads) },
  }
}
