// Makes sure that the outside judges the tests call are on this machine: installs missing Debian packages when it can
// (root and apt-get), otherwise names what is missing; the tests that need it then skip by name, or fail in CI.
import { execFileSync, spawnSync } from 'node:child_process'

/** What must be there, in words, the Debian package that has it, and a shell command that succeeds when it is. */
const TOOLS: readonly (readonly [tool: string, packageName: string, check?: string])[] = [
  ['curl', 'curl'],
  ['openssl', 'openssl'],
  ['python3', 'python3'],
  ['git', 'git'],
  ['slowhttptest', 'slowhttptest'],
  ['kubectl', 'kubernetes-client'],
  ['testssl', 'testssl.sh'],
  ['dig', 'dnsutils'],
  ['nghttp', 'nghttp2-client'],
  ['chromium', 'chromium'],
  // Debian's own Python, whatever other one is first on the PATH.
  ["Python's h2", 'python3-h2', '/usr/bin/python3 -c "import h2, hyperframe, hpack"'],
]

const missing = TOOLS.filter(([tool, , check]) => spawnSync('sh', ['-c', check ?? `command -v ${tool}`]).status !== 0)
if (missing.length > 0) {
  const packages = missing.map(([, name]) => name)
  const canInstall = process.getuid?.() === 0 && spawnSync('sh', ['-c', 'command -v apt-get']).status === 0
  if (canInstall) {
    process.stderr.write(`tests: installing ${packages.join(' ')}\n`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env })
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { stdio: 'inherit', env })
  } else {
    process.stderr.write(`tests: not found: ${missing.map(([tool, name]) => `${tool} (Debian: ${name})`).join(', ')}; tests that need them are skipped by name\n`)
    if (process.env['CI'] === 'true') process.exit(1)
  }
}
