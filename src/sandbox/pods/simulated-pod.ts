// One pod's sockets: starts its servers, tells where they really listen, drains and stops them. Knows no API.
import { createPodLog, type PodLog } from './pod-log.ts'
import { startPodServer, type PodServer } from './pod-server.ts'
import type { NamePlate } from './pod-answer.ts'

export interface SimulatedPod {
  readonly uid: string
  readonly log: PodLog
  /** Where it can be reached; the shared loopback address where the machine has only that one. */
  readonly address: string
  /** Port asked for → port bound. */
  readonly ports: ReadonlyMap<number, number>
  /** Opens what is not open yet. Rejects where not even a free port can be bound. */
  listen(ports: readonly number[]): Promise<void>
  drain(): void
  stop(graceMs: number): Promise<void>
}

const ONLY_LOOPBACK = '127.0.0.1'

export function createSimulatedPod(uid: string, plate: NamePlate): SimulatedPod {
  const log = createPodLog()
  const servers = new Map<number, PodServer>()
  const ports = new Map<number, number>()
  let address = plate.address
  let draining = false
  let stopped = false

  const open = async (port: number): Promise<void> => {
    const own = { ...plate, address }
    // On the address that all share, the ports themselves belong to others.
    const wanted = address === ONLY_LOOPBACK ? 0 : port
    const server = await startPodServer({ plate: own, address, port: wanted, log })
    if (stopped) return server.stop(0)
    if (draining) server.drain()
    servers.set(port, server)
    ports.set(port, server.port)
    log.append(Date.now(), `${plate.image}: listening on ${address}:${server.port}`)
  }

  return {
    uid,
    log,
    get address() {
      return address
    },
    ports,
    async listen(wanted) {
      for (const port of wanted) {
        if (stopped || servers.has(port)) continue
        try {
          await open(port)
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'EADDRNOTAVAIL') || address === ONLY_LOOPBACK) throw error
          address = ONLY_LOOPBACK
          await open(port)
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
      log.end()
    },
  }
}
