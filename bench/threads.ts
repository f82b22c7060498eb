// node bench/threads.ts [seconds]: one thread against two. The load generator and the backends need a core too, so on a machine with two
// cores the requests per second can't double; what a request costs tells whether the threads are in each other's way.
import { narthex } from './peers/narthex.ts'
import { PROXY_CORE, cpuMicroseconds, startPinned } from './process.ts'
import { SCENARIOS } from './scenarios.ts'
import { onStage, withPeer } from './stage.ts'

const seconds = Number(process.argv[2] ?? 3)
const ROUNDS = 3
const [get] = SCENARIOS
const costs = new Map<number, number[]>()
const rates = new Map<number, number[]>()
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

await onStage(async (stage) => {
  for (let round = 0; round < ROUNDS; round++) {
    for (const threads of [1, 2]) {
      const cores = threads === 1 ? PROXY_CORE : '0,1'
      const peer = { ...narthex, start: (work: object) => startPinned(cores, process.execPath, ['bench/programs/narthex.ts', JSON.stringify(work), String(threads)]) }
      await withPeer(peer, stage, async (work, running) => {
        if (get === undefined) return
        await get.run(work, 1)
        const before = cpuMicroseconds(running.pid)
        const { requests, requestsPerSecond } = await get.run(work, seconds)
        costs.set(threads, [...(costs.get(threads) ?? []), (cpuMicroseconds(running.pid) - before) / requests])
        rates.set(threads, [...(rates.get(threads) ?? []), requestsPerSecond])
      })
    }
  }
})
const [one, two] = [1, 2].map((threads) => ({ cost: median(costs.get(threads) ?? []), rate: median(rates.get(threads) ?? []) }))
if (one !== undefined && two !== undefined) {
  process.stdout.write(`one thread   ${one.cost.toFixed(1)} µs/request  ${one.rate.toFixed(0)} req/s\n`)
  process.stdout.write(`two threads  ${two.cost.toFixed(1)} µs/request  ${two.rate.toFixed(0)} req/s  × ${(two.rate / one.rate).toFixed(2)} here, × ${((2 * one.cost) / two.cost).toFixed(2)} with a core for each\n`)
}
