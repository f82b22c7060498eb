// Services of the sandbox as tutorials try them: kubectl and curl, ClusterIP, NodePort, LoadBalancer, sessionAffinity, UDP.
import { execFile } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startSandbox, type Sandbox } from '../../../src/sandbox/sandbox.ts'
import { eventually } from '../../support/fetch-host.ts'
import { kubectlFor, ok, type Kubectl } from '../../support/kubectl.ts'

const exec = promisify(execFile)
let home: string
let sandbox: Sandbox
let kubectl: Kubectl

const WEB = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 8000, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: sticky}
spec: {selector: {app: web}, type: NodePort, sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 100}}, ports: [{port: 8000, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: balanced}
spec: {selector: {app: web}, type: LoadBalancer, ports: [{port: 8000, targetPort: http}]}
`

const curl = async (url: string, ...args: string[]): Promise<string> => (await exec('curl', ['-sS', '--max-time', '10', ...args, url])).stdout
/** The pod that answers. */
const pod = async (url: string, ...args: string[]): Promise<string> => (await curl(url, ...args)).split(' ')[0] ?? ''
const field = (service: string, path: string): Promise<string> => ok(kubectl(`get svc ${service} -o jsonpath={${path}}`))
const url = async (service: string): Promise<string> => `http://${await field(service, '.spec.clusterIP')}:8000/`
const listing = async (): Promise<string> => (await fetch(`${sandbox.url}/sandbox/services`)).text()

async function pods(count: number, at: string, ...args: string[]): Promise<string[]> {
  const names: string[] = []
  for (let i = 0; i < count; i++) names.push(await pod(at, ...args))
  return names
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'narthex-services-'))
  sandbox = await startSandbox({ apiPort: 0, address: '127.0.0.1', kubeconfigPath: join(home, 'kubeconfig'), apply: [], log: () => undefined })
  kubectl = kubectlFor(join(home, 'kubeconfig'), home)
  await ok(kubectl('apply -f -', WEB))
  await ok(kubectl('rollout status deploy/web --timeout=10s'))
  await eventually(listing, (text) => (text.match(/-> 127\.10\./g)?.length ?? 0) >= 3 * 6)
})
afterAll(async () => {
  await sandbox.close()
  rmSync(home, { recursive: true })
})

describe('a Service', () => {
  it('answers at its ClusterIP from each pod in turn', async () => {
    const names = await pods(6, await url('web'))
    expect(new Set(names.slice(0, 3)).size).toBe(3)
    expect(names.slice(3)).toEqual(names.slice(0, 3))
  })

  it('answers at its NodePort and at the address of its load balancer', async () => {
    const nodePort = await field('sticky', '.spec.ports[0].nodePort')
    expect(await pod(`http://127.0.0.1:${nodePort}/`)).toMatch(/^web-/)
    const address = await eventually(() => field('balanced', '.status.loadBalancer.ingress[0].ip'), (text) => text !== '')
    expect(address).toMatch(/^127\.20\./)
    await eventually(() => pod(`http://${address}:8000/`).catch(() => ''), (name) => name.startsWith('web-'))
    expect(await pod(`http://127.0.0.1:${await field('balanced', '.spec.ports[0].nodePort')}/`)).toMatch(/^web-/)
  })

  it('with sessionAffinity keeps a client at its pod, by whichever address it comes, and other clients at theirs', async () => {
    const at = await url('sticky')
    const first = await pods(4, at, '--interface', '127.0.0.1')
    expect(new Set(first).size).toBe(1)
    expect(await pod(`http://127.0.0.1:${await field('sticky', '.spec.ports[0].nodePort')}/`, '--interface', '127.0.0.1')).toBe(first[0])
    const others = new Set<string>()
    for (let client = 2; client < 8; client++) {
      const names = await pods(2, at, '--interface', `127.0.0.${client}`)
      expect(new Set(names).size).toBe(1)
      others.add(names[0] ?? '')
    }
    expect(others.size).toBe(3)
  })

  it('without pods refuses, and answers again when there are some', async () => {
    const at = await url('web')
    await ok(kubectl('scale deploy web --replicas=0'))
    await eventually(() => curl(at).catch((error: Error) => error.message), (text) => /refused|Could ?n.t connect/i.test(text))
    await ok(kubectl('scale deploy web --replicas=3'))
    await ok(kubectl('rollout status deploy/web --timeout=10s'))
    await eventually(() => pod(at).catch(() => ''), (name) => name.startsWith('web-'))
  })

  it('that is deleted answers no more, and connections that it has go on', async () => {
    await ok(kubectl('expose deploy web --name=brief --port=8001 --target-port=8080'))
    const address = await field('brief', '.spec.clusterIP')
    await eventually(() => pod(`http://${address}:8001/`).catch(() => ''), (name) => name.startsWith('web-'))
    const held = connect(8001, address)
    await once(held, 'connect')
    await eventually(listing, (text) => / 1 +\d+$/m.test(text.split(`${address}:8001`)[1]?.split('\nTCP')[0] ?? ''))
    await ok(kubectl('delete svc brief'))
    await eventually(() => curl(`http://${address}:8001/`).catch((error: Error) => error.message), (text) => /refused|Could ?n.t connect/i.test(text))
    held.write('GET / HTTP/1.1\r\nHost: held\r\nConnection: close\r\n\r\n')
    const [answer] = (await once(held, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1.1 200/)
    held.destroy()
  })

  it('loses no request while its pods are replaced', async () => {
    const at = await url('web')
    const load = new AbortController()
    const outcomes: string[] = []
    const clients = Array.from({ length: 4 }, async () => {
      while (!load.signal.aborted) outcomes.push(await fetch(at, { headers: { connection: 'close' } }).then(async (answer) => (await answer.text(), String(answer.status)), (error: Error) => String(error.cause)))
    })
    await ok(kubectl('rollout restart deploy/web'))
    await ok(kubectl('rollout status deploy/web --timeout=15s'))
    load.abort()
    await Promise.all(clients)
    expect(outcomes.length).toBeGreaterThan(20)
    expect(outcomes.filter((each) => each !== '200')).toEqual([])
  })
})

describe('a UDP Service without a selector', () => {
  const sockets: Socket[] = []
  afterAll(() => {
    for (const socket of sockets) socket.close()
  })

  async function echo(name: string): Promise<number> {
    const socket = createSocket('udp4')
    sockets.push(socket)
    socket.on('message', (datagram, from) => socket.send(`${name} ${datagram}`, from.port, from.address))
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return socket.address().port
  }

  it('answers python at its ClusterIP and NodePort', async () => {
    const [port] = [await echo('echo')]
    await ok(kubectl('apply -f -', `
apiVersion: v1
kind: Service
metadata: {name: echo}
spec: {type: NodePort, ports: [{name: echo, port: 9000, protocol: UDP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: echo-1, labels: {kubernetes.io/service-name: echo}}
addressType: IPv4
ports: [{name: echo, port: ${port}, protocol: UDP}]
endpoints: [{addresses: [127.0.0.1]}]
`))
    await eventually(listing, (text) => text.includes(`-> 127.0.0.1:${port}`) && !text.includes('UDP  127.0.0.1:30000 closed'))
    const ask = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.sendto(b'hello', (sys.argv[1], int(sys.argv[2])))
print(s.recv(100).decode())
`
    for (const [address, at] of [[await field('echo', '.spec.clusterIP'), '9000'], ['127.0.0.1', await field('echo', '.spec.ports[0].nodePort')]]) {
      expect((await exec('python3', ['-c', ask, address ?? '', at ?? ''])).stdout).toBe('echo hello\n')
    }
  })
})

describe('the listing', () => {
  it('has the layout of ipvsadm -Ln, with persistence, weights and counts', async () => {
    const text = await listing()
    expect(text).toMatch(/^Prot LocalAddress:Port Scheduler Flags\n {2}-> RemoteAddress:Port {11}Forward Weight ActiveConn TotalConns$/m)
    expect(text).toMatch(/^TCP {2}127\.96\.\d+\.\d+:8000 rr persistent 100 # ClusterIP default\/sticky\n( {2}-> 127\.10\.\d+\.\d+:8080 +Masq {4}1 +\d+ +\d+\n){3}/m)
  })

  it('is JSON for who asks for it', async () => {
    const answer = await fetch(`${sandbox.url}/sandbox/services`, { headers: { accept: 'application/json' } })
    const servers = (await answer.json()) as { service: string; kind: string; persistentSeconds: number | null; realServers: { weight: number; totalConnections: number }[] }[]
    const sticky = servers.find(({ service, kind }) => service === 'default/sticky' && kind === 'ClusterIP')
    expect(sticky).toMatchObject({ persistentSeconds: 100, realServers: [{ weight: 1 }, { weight: 1 }, { weight: 1 }] })
    const web = servers.find(({ service }) => service === 'default/web')
    expect(web?.realServers.every(({ totalConnections }) => totalConnections > 0)).toBe(true)
  })
})
