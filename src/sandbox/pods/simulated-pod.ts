// One pod's sockets: its address, its servers and where they really listen; drains and stops them. Knows no API.
import type { AddressPool } from './address-pool.ts'
import type { NamePlate } from './pod-answer.ts'
import { createPodLog, type PodLog } from './pod-log.ts'
import { openUdpEcho, type UdpEcho } from './udp-echo.ts'
import { startPodServer, type Closing, type PodServer } from './pod-server.ts'

export interface SimulatedPod {
  readonly uid: string
  readonly log: PodLog
  /** Where it can be reached, final once it listens; the shared loopback address where the machine has only that one. */
  readonly address: string
  /** Port asked for → port bound. */
  readonly ports: ReadonlyMap<number, number>
  /** Opens what is not open yet. Rejects where not even a free port can be bound. */
  listen(ports: readonly number[]): Promise<void>
  /** Opens UDP ports that send back what they get. One that can't be had is told in the log: UDP ports are published as they are. */
  echo(ports: readonly number[]): Promise<void>
  drain(): void
  /** Gives the address back at the end. */
  stop(graceMs: number): Promise<void>
}

const ONLY_LOOPBACK = '127.0.0.1'
/** Other sandboxes of the machine that a pod makes room for. */
const MOST_EXCHANGES = 32

/** undefined: the pool has no address left. */
export function createSimulatedPod(uid: string, facts: Omit<NamePlate, 'address'>, pool: AddressPool, closing?: Closing): SimulatedPod | undefined {
  const log = createPodLog()
  const servers = new Map<number, PodServer>()
  const echoes: UdpEcho[] = []
  const ports = new Map<number, number>()
  const first = pool.take()
  if (first === undefined) return undefined
  let lease = first
  let address = first
  let draining = false
  let stopped = false

  const open = async (port: number, exactly: boolean): Promise<void> => {
    // On the address that all share, the ports themselves belong to others.
    const wanted = address === ONLY_LOOPBACK ? 0 : port
    const server = await startPodServer({ plate: { ...facts, address }, address, port: wanted, exactly, log, ...(closing !== undefined && { closing }) })
    if (stopped) return server.stop(0)
    if (draining) server.drain()
    servers.set(port, server)
    ports.set(port, server.port)
    log.append(Date.now(), `${facts.image}: listening on ${address}:${server.port}`)
  }

  const openSomewhere = async (port: number): Promise<void> => {
    for (let exchanges = 0; ; exchanges++) {
      const mayMove = servers.size === 0 && exchanges < MOST_EXCHANGES
      try {
        return await open(port, mayMove)
      } catch (error) {
        if (stopped) return
        const code = error instanceof Error && 'code' in error ? error.code : undefined
        if (code === 'EADDRNOTAVAIL' && address !== ONLY_LOOPBACK) address = ONLY_LOOPBACK
        else if (code === 'EADDRINUSE' && mayMove) lease = address = pool.exchange(lease) ?? lease
        else throw error
      }
    }
  }

  return {
    uid,
    log,
    get address() {
      return address
    },
    ports,
    async listen(wanted) {
      for (const port of wanted) if (!stopped && !servers.has(port)) await openSomewhere(port)
    },
    async echo(wanted) {
      for (const port of wanted) {
        if (stopped) return
        try {
          const opened = await openUdpEcho({ name: facts.pod, address, port, log })
          if (stopped) return opened.close()
          echoes.push(opened)
          log.append(Date.now(), `${facts.image}: listening on ${address}:${port} (UDP)`)
        } catch (error) {
          log.append(Date.now(), `${facts.image}: UDP port ${port} can't be opened: ${error instanceof Error ? error.message : String(error)}`)
        }
      }
    },
    drain() {
      draining = true
      for (const server of servers.values()) server.drain()
    },
    async stop(graceMs) {
      stopped = true
      await Promise.all([...servers.values()].map((server) => server.stop(graceMs)))
      for (const each of echoes.splice(0)) each.close()
      log.end()
      pool.release(lease)
    },
  }
}
