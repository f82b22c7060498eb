// Programs that the benchmark calls, and the Debian packages that have them.
import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'

const PACKAGES = {
  taskset: 'util-linux',
  openssl: 'openssl',
  nginx: 'nginx-light',
  haproxy: 'haproxy',
  caddy: 'caddy',
  wrk: 'wrk',
  h2load: 'nghttp2-client',
} as const

export type Tool = keyof typeof PACKAGES

/** Without these there is nothing to measure with: nginx is the backend as well as a peer. */
const ALWAYS: readonly Tool[] = ['taskset', 'openssl', 'nginx']

export function isThere(tool: Tool): boolean {
  return spawnSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' }).status === 0
}

export function packageOf(tool: Tool): string {
  return PACKAGES[tool]
}

/** What stands in the way of a run, in words; undefined: nothing. */
export function obstacle(needed: readonly Tool[], present: (tool: Tool) => boolean = isThere, cores = cpus().length): string | undefined {
  if (cores < 2) return 'two cores are needed: one for the proxy, one for the load'
  const missing = [...new Set([...ALWAYS, ...needed])].filter((tool) => !present(tool))
  if (missing.length === 0) return undefined
  return `not found: ${missing.map((tool) => `${tool} (Debian: ${packageOf(tool)})`).join(', ')}; apt-get install ${[...new Set(missing.map(packageOf))].join(' ')}`
}
