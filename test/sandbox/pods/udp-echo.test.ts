// UDP ports of simulated pods, over real sockets.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, expect, it } from 'vitest'
import { createPodLog } from '../../../src/sandbox/pods/pod-log.ts'
import { udpPortsToListen } from '../../../src/sandbox/pods/pod-ports.ts'
import { openUdpEcho, type UdpEcho } from '../../../src/sandbox/pods/udp-echo.ts'

const opened: UdpEcho[] = []
afterEach(() => {
  for (const each of opened.splice(0)) each.close()
})

it('send datagrams back, with the name of the pod', async () => {
  const free = createSocket('udp4').bind(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address()
  free.close()
  opened.push(await openUdpEcho({ name: 'dns-1', address: '127.0.0.1', port, log: createPodLog() }))
  await expect(openUdpEcho({ name: 'dns-2', address: '127.0.0.1', port, log: createPodLog() })).rejects.toThrow('EADDRINUSE')
  const client = createSocket('udp4')
  client.send('hello', port, '127.0.0.1')
  const [reply] = (await once(client, 'message')) as [Buffer]
  client.close()
  expect(reply.toString()).toBe('dns-1 hello')
})

it('are the UDP containerPorts, once each', () => {
  const spec = { containers: [{ name: 'a', ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP' }] }, { name: 'b', ports: [{ containerPort: 53, protocol: 'UDP' }] }] }
  expect(udpPortsToListen({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', uid: '1' }, spec } as Parameters<typeof udpPortsToListen>[0])).toEqual([53])
})
