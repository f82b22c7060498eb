// What the figures were measured on, and how quiet it was.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import type { Peer } from './peer.ts'

export interface Quiet {
  /** Processes that wanted to run, on average of the minute before. */
  readonly load: number
  readonly stolen: number
  readonly total: number
}

/** Now; two of them tell what the host took from this machine between. */
export function quietness(): Quiet {
  const ticks = (/^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? '').split(' ').map(Number)
  return { load: loadavg()[0] ?? 0, stolen: ticks[7] ?? 0, total: ticks.reduce((sum, count) => sum + count, 0) }
}

export function machine(peers: readonly Peer[]): string {
  const versions = peers.map((peer) => `${peer.name} ${peer.version()}`)
  const tools = [versionOf('wrk', ['-v'], /wrk \S*?(\d[\d.]+)/), versionOf('h2load', ['--version'], /nghttp2\/(\S+)/), versionOf('openssl', ['version'], /OpenSSL (\S+)/)]
  return `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores; Linux ${release()}; Node ${process.version}; ${[...versions, ...tools].join(', ')}`
}

export function disturbance(before: Quiet, after: Quiet): string {
  const stolen = (100 * (after.stolen - before.stolen)) / Math.max(1, after.total - before.total)
  return `load average before it ${before.load.toFixed(2)}, ${stolen.toFixed(1)} % of the processor time stolen by the host meanwhile`
}

function versionOf(command: string, args: readonly string[], pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  return `${command} ${pattern.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1] ?? '?'}`
}
