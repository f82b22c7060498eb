// Makes sure that the outside judges the tests call are on this machine: installs missing Debian packages when it can
// (root and apt-get), otherwise names what is missing; the tests that need it then skip by name, or fail in CI.
import { execFileSync, spawnSync } from 'node:child_process'

/** Command looked for, and the Debian package that has it. */
const TOOLS: readonly (readonly [command: string, packageName: string])[] = [
  ['curl', 'curl'],
  ['openssl', 'openssl'],
  ['python3', 'python3'],
  ['git', 'git'],
  ['slowhttptest', 'slowhttptest'],
  ['kubectl', 'kubernetes-client'],
  ['testssl', 'testssl.sh'],
  ['dig', 'dnsutils'],
]

const missing = TOOLS.filter(([command]) => spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0)
if (missing.length > 0) {
  const packages = missing.map(([, name]) => name)
  const canInstall = process.getuid?.() === 0 && spawnSync('sh', ['-c', 'command -v apt-get']).status === 0
  if (canInstall) {
    process.stderr.write(`tests: installing ${packages.join(' ')}\n`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env })
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { stdio: 'inherit', env })
  } else {
    process.stderr.write(`tests: not found: ${missing.map(([command, name]) => `${command} (Debian: ${name})`).join(', ')}; tests that need them are skipped by name\n`)
    if (process.env['CI'] === 'true') process.exit(1)
  }
}
