// Processes of a benchmark: started pinned to a core, measured through /proc, ended by their pid.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { connect, createServer } from 'node:net'

/** The proxy under test has this core to itself. */
export const PROXY_CORE = '0'
/** Load generator and backends share this one. */
export const LOAD_CORE = '1'

const TICKS_PER_SECOND = 100

export interface Running {
  readonly pid: number
  stop(): Promise<void>
}

/** Starts `command` on a core. Output goes nowhere unless it ends early. */
export function startPinned(core: string, command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn('taskset', ['-c', core, command, ...args], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } })
  let errors = ''
  let stopping = false
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4000)))
  child.once('exit', (code) => {
    if (!stopping) process.stderr.write(`bench: ${command} ended with ${code}: ${errors}\n`)
  })
  return {
    pid: child.pid ?? 0,
    async stop() {
      stopping = true
      await ended(child)
    },
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 2000)
  await once(child, 'exit')
  clearTimeout(timer)
}

/** Runs a command to its end on a core; answers standard output. */
export async function runPinned(core: string, command: string, args: readonly string[]): Promise<string> {
  const child = spawn('taskset', ['-c', core, command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  await once(child, 'close')
  if (child.exitCode !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${child.exitCode}: ${errors}${out}`)
  return out
}

/** A process and its descendants: nginx and haproxy work in children. */
function familyOf(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = statOf(Number(name))
    if (stat !== undefined) parents.set(Number(name), Number(stat[1]))
  }
  const family = [pid]
  for (const member of family) for (const [child, parent] of parents) if (parent === member) family.push(child)
  return family
}

/** Fields of /proc/PID/stat behind the command's name: state, ppid, …; undefined when the process is gone. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

/** User and system time of a process and its descendants, in microseconds (all threads). */
export function cpuMicroseconds(pid: number): number {
  let ticks = 0
  for (const member of familyOf(pid)) {
    const stat = statOf(member)
    if (stat !== undefined) ticks += Number(stat[11]) + Number(stat[12])
  }
  return (ticks * 1_000_000) / TICKS_PER_SECOND
}

/** Resident memory of a process and its descendants, in bytes. */
export function residentBytes(pid: number): number {
  let kilobytes = 0
  for (const member of familyOf(pid)) {
    try {
      kilobytes += Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${member}/status`, 'latin1'))?.[1] ?? 0)
    } catch {
      // Ended meanwhile.
    }
  }
  return kilobytes * 1024
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Waits until something accepts on the port. */
export async function accepting(port: number, within = 10_000): Promise<void> {
  const end = Date.now() + within
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (open) return
    if (Date.now() > end) throw new Error(`nothing accepts on port ${port} after ${within} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
