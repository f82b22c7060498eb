// node bench/http2.ts [requests]: CPU per request of the HTTP/2 codec beside node:http2, each answering 120 bytes by itself.
// The quick look while working on the codec; `npm run bench` is the one that counts.
import { LOAD_CORE, PROXY_CORE } from './cores.ts'
import { accepting, cpuMicroseconds, freePorts, residentBytes, runPinned, startPinned } from './process.ts'

const requests = Number(process.argv[2] ?? 200_000)

for (const transport of ['cleartext', 'secure']) {
  for (const codec of ['own', 'node:http2']) {
    const [port = 0] = await freePorts(1)
    const server = startPinned(PROXY_CORE, process.execPath, ['bench/programs/http2-answers.ts', codec, String(port), transport])
    const load = (count: number): Promise<string> =>
      runPinned(LOAD_CORE, 'h2load', [`-n${count}`, '-c16', '-m10', '--npn-list=h2', `${transport === 'secure' ? 'https' : 'http'}://127.0.0.1:${port}/`], 120)
    try {
      await accepting(port)
      await load(requests / 4)
      const before = cpuMicroseconds(server.pid)
      const report = await load(requests)
      const cpu = (cpuMicroseconds(server.pid) - before) / requests
      const rate = /([\d.]+) req\/s/.exec(report)?.[1] ?? '?'
      const failed = /(\d+) failed/.exec(report)?.[1] ?? '?'
      const memory = residentBytes(server.pid) / 1024 / 1024
      console.log(`${transport.padEnd(10)} ${codec.padEnd(10)} ${cpu.toFixed(2)} µs/request  ${rate} req/s  ${memory.toFixed(0)} MiB  ${failed} failed`)
    } finally {
      await server.stop()
    }
  }
}
