#!/usr/bin/env node
// Starts Narthex with a Node that can run it. A checkout brings its own Node 26 (node_modules/.bin/node),
// so an older `node` on the PATH hands over to that one; an installed package runs the compiled dist/.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const OLDEST_MAJOR = 24
const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const entry = existsSync(at('src/main.ts')) ? at('src/main.ts') : at('dist/main.js')
const major = Number(process.versions.node.split('.')[0])

if (major >= OLDEST_MAJOR) {
  process.argv[1] = entry
  await import(entry)
} else if (existsSync(at('node_modules/.bin/node'))) {
  const child = spawn(at('node_modules/.bin/node'), [entry, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)))
} else {
  process.stderr.write(`narthex: needs Node ${OLDEST_MAJOR} or newer, this is ${process.version}\n`)
  process.exit(2)
}
