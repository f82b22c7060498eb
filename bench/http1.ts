// node bench/http1.ts [seconds] [scenario…]: CPU per request of one data-plane thread over plain HTTP, with nothing else in the process.
// The quick look while working on the codec; `npm run bench` is the one that counts. `--prof` leaves a CPU profile in the working directory.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startBackends } from './backend.ts'
import { accepting, cpuMicroseconds, freePorts, PROXY_CORE, residentBytes, startPinned } from './process.ts'
import { SCENARIOS } from './scenarios.ts'

const { values, positionals } = parseArgs({ options: { prof: { type: 'boolean', default: false } }, allowPositionals: true })
const [seconds = '5', ...names] = positionals
const folder = mkdtempSync(join(tmpdir(), 'narthex-http1-'))
const [httpPort = 0, ...backendPorts] = await freePorts(4)
const work = { httpPort, tlsPort: 0, backendPorts, certificate: '', privateKey: '', folder }
const backends = await startBackends(folder, backendPorts)
const flags = values.prof ? ['--cpu-prof', '--cpu-prof-interval', '200'] : []
const proxy = startPinned(PROXY_CORE, process.execPath, [...flags, 'bench/programs/one-thread.ts', JSON.stringify(work)])
try {
  await accepting(httpPort)
  for (const scenario of SCENARIOS.filter(({ name }) => (names.length === 0 ? name === 'get' : names.includes(name)))) {
    await scenario.run(work, 1)
    const before = cpuMicroseconds(proxy.pid)
    const measured = await scenario.run(work, Number(seconds))
    const cpu = (cpuMicroseconds(proxy.pid) - before) / measured.requests
    const memory = residentBytes(proxy.pid) / 1024 / 1024
    console.log(
      `${scenario.name.padEnd(8)} ${cpu.toFixed(1)} µs/request  ${measured.requestsPerSecond.toFixed(0)} req/s  p50 ${measured.p50} ms  p99 ${measured.p99} ms  ${memory.toFixed(0)} MiB  ${measured.errors} errors`,
    )
  }
} finally {
  await proxy.stop()
  await backends.stop()
  rmSync(folder, { recursive: true, force: true })
}
