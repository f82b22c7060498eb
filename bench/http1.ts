// node bench/http1.ts [seconds] [scenario…]: CPU per request of one data-plane thread over plain HTTP, with nothing else in the process.
// The quick look while working on the codec; `npm run bench` is the one that counts. `--prof` leaves a CPU profile in the working directory.
import { parseArgs } from 'node:util'
import { PROXY_CORE } from './cores.ts'
import { accepting, cpuMicroseconds, freePorts, residentBytes, startPinned } from './process.ts'
import { HTTP1 } from './scenarios/http1.ts'
import { onStage } from './stage.ts'
import { wrk } from './wrk.ts'

const { values, positionals } = parseArgs({ options: { prof: { type: 'boolean', default: false } }, allowPositionals: true })
const [seconds = '5', ...names] = positionals
const flags = values.prof ? ['--cpu-prof', '--cpu-prof-interval', '200'] : []

await onStage(async (stage) => {
  const [httpPort = 0] = await freePorts(1)
  const work = { ...stage, httpPort, tlsPort: 0 }
  const proxy = startPinned(PROXY_CORE, process.execPath, [...flags, 'bench/programs/one-thread.ts', JSON.stringify(work)])
  try {
    await accepting(httpPort)
    for (const { name, load } of HTTP1.filter((scenario) => (names.length === 0 ? scenario.name === 'get' : names.includes(scenario.name)))) {
      await wrk(work, 1, load)
      const before = cpuMicroseconds(proxy.pid)
      const measured = await wrk(work, Number(seconds), load)
      const cpu = (cpuMicroseconds(proxy.pid) - before) / measured.requests
      const memory = residentBytes(proxy.pid) / 1024 / 1024
      console.log(
        `${name.padEnd(8)} ${cpu.toFixed(1)} µs/request  ${measured.requestsPerSecond.toFixed(0)} req/s  p50 ${measured.p50} ms  p99 ${measured.p99} ms  ${memory.toFixed(0)} MiB  ${measured.errors} errors`,
      )
    }
  } finally {
    await proxy.stop()
  }
})
