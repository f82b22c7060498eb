// Where a pod's sockets end up when the machine refuses what it asks for.
import { afterEach, describe, expect, it } from 'vitest'
import { createAddressPool } from '../../../src/sandbox/pods/address-pool.ts'
import { createSimulatedPod, type SimulatedPod } from '../../../src/sandbox/pods/simulated-pod.ts'

const opened: SimulatedPod[] = []
afterEach(async () => {
  for (const pod of opened.splice(0)) await pod.stop(0)
})

/** Addresses of the benchmarking range, which no machine has: what a platform with one loopback address answers for all others. */
const pool = createAddressPool('198.18')

function newPod(name: string): SimulatedPod {
  const pod = createSimulatedPod(name, { pod: name, namespace: 'dev', node: 'sandbox', image: 'nginx:1' }, pool)
  if (!pod) throw new Error('no address')
  opened.push(pod)
  return pod
}

describe('a pod on a machine with one loopback address', () => {
  it('shares that address with the others, at ports of its own, and answers there', async () => {
    const [a, b] = [newPod('a'), newPod('b')]
    await a.listen([80, 443])
    await b.listen([80])
    expect([a.address, b.address]).toEqual(['127.0.0.1', '127.0.0.1'])
    const ports = [...a.ports.values(), ...b.ports.values()]
    expect(new Set(ports).size).toBe(3)
    expect(await (await fetch(`http://127.0.0.1:${b.ports.get(80)}/`)).text()).toMatch(new RegExp(`^b \\(127\\.0\\.0\\.1:${b.ports.get(80)}\\) `))
  })

  it('closes what it was still opening when it is stopped', async () => {
    const pod = newPod('c')
    const listening = pod.listen([80, 81, 82])
    await pod.stop(0)
    await listening
    for (const port of pod.ports.values()) await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed')
    let ended = false
    pod.log.follow(() => undefined, () => (ended = true))
    expect(ended).toBe(true)
  })
})
