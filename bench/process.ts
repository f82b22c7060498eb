// Processes of a benchmark: started pinned to a core, measured through /proc, ended by their pid.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { get as getPlain } from 'node:http'
import { get as getSecure } from 'node:https'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const TICKS_PER_SECOND = 100
const POLL_MS = 20

export interface Running {
  readonly pid: number
  /** Why it ended before it was told to; undefined while it runs. */
  ended(): string | undefined
  stop(): Promise<void>
}

const children = new Set<ChildProcess>()
// Whatever ends this process: nothing is left behind.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

function spawnPinned(core: string, command: string, args: readonly string[], output: 'ignore' | 'pipe', env: Readonly<Record<string, string>>): ChildProcess {
  const child = spawn('taskset', ['-c', core, command, ...args], { stdio: ['ignore', output, 'pipe'], env: { ...process.env, ...env } })
  children.add(child)
  child.once('close', () => children.delete(child))
  return child
}

/** Starts `command` on a core. */
export function startPinned(core: string, command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawnPinned(core, command, args, 'ignore', env)
  let errors = ''
  let stopping = false
  let reason: string | undefined
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4000)))
  child.once('close', (code, signal) => {
    if (!stopping) reason = `${command} ended with ${code ?? signal}: ${errors.trim()}`
  })
  return {
    pid: child.pid ?? 0,
    ended: () => reason,
    async stop() {
      stopping = true
      await end(child)
    },
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 2000)
  await once(child, 'exit')
  clearTimeout(timer)
}

/** Runs a command to its end on a core; answers standard output. Longer than `within` seconds: an error. */
export async function runPinned(core: string, command: string, args: readonly string[], within: number): Promise<string> {
  const child = spawnPinned(core, command, args, 'pipe', {})
  let out = ''
  let errors = ''
  let late = false
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, within * 1000)
  await once(child, 'close')
  clearTimeout(timer)
  if (late) throw new Error(`${command} took longer than ${within} s`)
  if (child.exitCode !== 0) throw new Error(`${command} ended with ${child.exitCode ?? child.signalCode}: ${(errors + out).trim().slice(-500)}`)
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
export async function accepting(port: number): Promise<void> {
  await until(`nothing accepts on port ${port}`, () => {
    const socket = connect({ host: '127.0.0.1', port })
    return new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false))
      socket.once('connect', () => resolve(true))
    }).finally(() => socket.destroy())
  })
}

/** Waits until a GET for the host is answered with 200: a proxy may accept before it knows what to do. */
export async function answering(running: Running, port: number, tls: boolean, host: string): Promise<void> {
  const get = tls ? getSecure : getPlain
  const options = { host: '127.0.0.1', port, path: '/', headers: { host }, agent: false, rejectUnauthorized: false, timeout: 1000 }
  await until(`GET / is not answered with 200 on port ${port}`, () => {
    const reason = running.ended()
    if (reason !== undefined) throw new Error(reason)
    return new Promise((resolve) => {
      const request = get(options, (response) => {
        response.resume().once('close', () => resolve(response.statusCode === 200))
      })
      request.once('error', () => resolve(false)).once('timeout', () => request.destroy())
    })
  })
}

async function until(problem: string, isSo: () => Promise<boolean>): Promise<void> {
  const limit = Date.now() + 10_000
  while (!(await isSo())) {
    if (Date.now() > limit) throw new Error(`${problem} after 10 s`)
    await sleep(POLL_MS)
  }
}
