// TCP and UDP services of the whole controller, over two threads: ends, silence, readers that are slow, clients that come back, and
// what ConfigMaps and DNS change while they are served.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/fetch-host.ts'
import { freePort } from '../support/free-port.ts'
import { app, bareService, configMap, deployment, slice } from '../support/manifests.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'
import { ScriptedDns } from '../support/scripted-dns.ts'
import { dial, tcpBackend, udpPeer, type TcpBackend, type UdpPeer } from '../support/stream-peers.ts'

const exec = promisify(execFile)
const OWN = 'narthex.ingress.kubernetes.io'

let sandbox: Sandbox
let dns: ScriptedDns
/** What the two ConfigMaps say: entries only come. */
const data: Record<'tcp' | 'udp', Record<string, string>> = { tcp: {}, udp: {} }
const open: { close(): void }[] = []

beforeAll(async () => {
  dns = await ScriptedDns.start()
  sandbox = await startSandbox(
    '--threads=2', `--dns-server=${dns.address}`, '--dns-min-ttl=200ms', '--stream-idle-timeout=5s', '--udp-idle-timeout=4s', '--tcp-services-configmap=default/tcp', '--udp-services-configmap=default/udp',
  )
})
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})
afterAll(async () => {
  await sandbox.stop()
  await dns.close()
})

/** Adds the entry; answers its port, once it listens where that can be known. */
async function expose(protocol: 'tcp' | 'udp', service: string): Promise<number> {
  const port = await freePort()
  data[protocol][port] = `default/${service}`
  await sandbox.apply(configMap(protocol, data[protocol]))
  if (protocol === 'tcp') {
    await eventually(async () => (await dial(port)).socket, (socket) => {
      const isThere = !socket.destroyed
      socket.destroy()
      return isThere
    })
  }
  return port
}

/** Of the metrics, for the port. */
async function figure(name: string, port: number): Promise<number> {
  const line = (await sandbox.admin('/metrics')).split('\n').find((each) => each.startsWith(`narthex_stream_${name}{`) && each.includes(`port="${port}"`))
  return Number(line?.split(' ').at(-1) ?? 0)
}

/** A TCP service before one program of the test, and the port to reach it by. */
async function serve(name: string, program: (socket: Socket) => void, proxy = ''): Promise<{ readonly port: number; readonly backend: TcpBackend }> {
  const backend = await tcpBackend(program)
  open.push(backend)
  await sandbox.apply(bareService(name) + slice(name, backend.port, ['127.0.0.1']))
  return { port: await expose('tcp', `${name}:80${proxy}`), backend }
}

async function peer(...args: Parameters<typeof udpPeer>): Promise<UdpPeer> {
  const made = await udpPeer(...args)
  open.push(made.socket)
  return made
}

/** Sends until there is an answer: datagrams may come before the port listens, or while nobody is behind it. */
async function answerOf(client: UdpPeer, port: number, good: (text: string) => boolean = () => true): Promise<string> {
  const last = { text: '', waiting: false }
  return eventually(async () => {
    client.send(port, 'hello')
    if (!last.waiting) {
      last.waiting = true
      void client.next().then((text) => Object.assign(last, { text, waiting: false }))
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
    return last.text
  }, (text) => text !== '' && good(text))
}

const curl = async (...args: readonly string[]): Promise<string> => (await exec('curl', ['-sS', '--max-time', '5', ...args]).catch(() => ({ stdout: '' }))).stdout

describe('a TCP service', () => {
  it('speaks the PROXY protocol on both sides; a port that is taken is told, tried again, and disturbs nothing else', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port: busy } = taken.address() as AddressInfo
    await sandbox.apply(app('web', { replicas: 2 }))
    data.tcp[busy] = 'default/web:80'
    const [plain, proxied] = [await expose('tcp', 'web:80'), await expose('tcp', 'web:80:PROXY')]
    await eventually(() => curl(`http://127.0.0.1:${plain}/`), (text) => text.startsWith('web-'))
    await eventually(() => curl('--haproxy-protocol', `http://127.0.0.1:${proxied}/`), (text) => text.startsWith('web-'))
    expect(await curl(`http://127.0.0.1:${proxied}/`)).toBe('')
    const { port } = await serve('told', (socket) => void socket.pipe(socket), '::PROXY')
    const client = await dial(port)
    const { localPort: from } = client.socket
    client.socket.end('x')
    expect(await client.ended).toBe(`PROXY TCP4 127.0.0.1 127.0.0.1 ${from} ${port}\r\nx`)
    await sandbox.event('tcp', new RegExp(`StreamPortUnavailable.*${busy}`))
    taken.close()
    await eventually(() => curl(`http://127.0.0.1:${busy}/`), (text) => text.startsWith('web-'), { within: 20_000 })
  })

  it('is balanced by the scheduler, the weights and the affinity of its Service', async () => {
    const heavy = await tcpBackend((socket) => socket.end('heavy'), 0, '127.0.0.91')
    open.push(heavy, await tcpBackend((socket) => socket.end('light'), heavy.port, '127.0.0.92'))
    await sandbox.apply(bareService('weighed') + slice('weighed', heavy.port, ['127.0.0.91', '127.0.0.92']))
    await sandbox.kube(`annotate service weighed ${OWN}/scheduler=wrr ${OWN}/weights=127.0.0.91=3`)
    const port = await expose('tcp', 'weighed:80')
    const answers = async (count: number): Promise<string> => {
      let text = ''
      for (let i = 0; i < count; i++) text += (await (await dial(port)).ended)[0]
      return [...text].sort().join('')
    }
    await eventually(() => answers(8), (text) => text === 'hhhhhhll')
    await sandbox.kube('patch service weighed --type=merge -p {"spec":{"sessionAffinity":"ClientIP"}}')
    await eventually(() => answers(8), (text) => new Set(text).size === 1)
  })

  it('ends each direction on its own: who has said all still hears, on either side', async () => {
    const heard = Promise.withResolvers<string>()
    const { port } = await serve('halves', (socket) => {
      let asked = ''
      socket.on('data', (chunk) => {
        asked += chunk
        if (asked === 'you first') socket.end('bye')
      })
      socket.on('end', () => {
        if (asked.startsWith('you first')) heard.resolve(asked)
        socket.end(`heard ${asked}`)
      })
    })
    const first = await dial(port)
    first.socket.end('question')
    expect(await first.ended).toBe('heard question')
    expect(await first.closed).toBe('end')
    const last = await dial(port)
    last.socket.write('you first')
    expect(await last.ended).toBe('bye')
    last.socket.end(', and then me')
    expect(await heard.promise).toBe('you first, and then me')
    expect(await last.closed).toBe('end')
  })

  it('passes a cut on as a cut', async () => {
    const { port } = await serve('cut', (socket) => void socket.once('data', () => socket.resetAndDestroy()))
    const client = await dial(port)
    client.socket.write('x')
    expect(await client.closed).toBe('ECONNRESET')
  })

  it('closes a connection that is silent for too long, and none on which something moves', async () => {
    const { port, backend } = await serve('idle', (socket) => void socket.pipe(socket))
    const [silent, lively] = [await dial(port), await dial(port)]
    const beat = setInterval(() => lively.socket.write('x'), 100)
    silent.socket.write('x')
    expect(await silent.ended).toBe('x')
    clearInterval(beat)
    const before = lively.text().length
    lively.socket.end('still here')
    expect((await lively.ended).slice(before)).toMatch(/^x*still here$/)
    await eventually(async () => backend.connections.every(({ destroyed }) => destroyed), (gone) => gone)
  })

  it('makes the sender wait while nobody reads: memory stays bounded, on both ways, and every byte arrives', async () => {
    const SIZE = 48 * 1024 * 1024
    const CLIENTS = 12
    const payload = Buffer.alloc(SIZE, 'all work and no play makes jack a dull boy. ')
    const { port, backend } = await serve('pour', (socket) => {
      // Whoever says `take` is not read until later; `give` gets everything at once.
      socket.once('data', (first) => {
        if (first[0] === 0x74) socket.pause()
        else socket.end(payload)
      })
    })
    const before = residentMegabytes()
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => dial(port)))
    const half = CLIENTS / 2
    for (const [i, { socket }] of clients.entries()) {
      socket.pause()
      socket.write(i < half ? 'g' : 't')
      if (i >= half) socket.end(payload)
    }
    const moved = async (): Promise<number> => (await figure('sent_bytes_total', port)) + (await figure('received_bytes_total', port))
    const standing = { at: -1, for: 0 }
    await eventually(moved, (bytes) => {
      standing.for = bytes === standing.at && bytes > CLIENTS * 1024 * 1024 ? standing.for + 1 : 0
      standing.at = bytes
      return standing.for === 5
    }, { within: 30_000, every: 100 })
    const grown = residentMegabytes() - before
    process.stdout.write(`${CLIENTS} connections that nobody reads: ${Math.round(standing.at / 1024 / 1024)} MB moved into buffers of the kernel, ${CLIENTS * SIZE / 1024 / 1024} MB to come, ${Math.round(grown)} MB more memory\n`)
    expect(standing.at).toBeLessThan((CLIENTS * SIZE) / 2)
    expect(grown).toBeLessThan(96)
    // The last connections are those of the test: what tried the port sent nothing.
    const takers = backend.connections.filter((socket) => socket.isPaused())
    expect(takers).toHaveLength(half)
    const taken = takers.map(async (socket) => {
      socket.resume()
      await once(socket, 'end')
      socket.end()
      return socket.bytesRead
    })
    for (const { socket } of clients) socket.resume()
    for (const { ended } of clients.slice(0, half)) expect(Buffer.from(await ended, 'latin1').equals(payload)).toBe(true)
    expect(await Promise.all(taken)).toEqual(Array.from({ length: half }, () => 1 + SIZE))
  }, 60_000)
})

/** Of the process with all its threads. */
function residentMegabytes(): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${sandbox.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
}

describe('a UDP service', () => {
  it('is echoed by the pods behind it, by the port of Narthex and at the ClusterIP', async () => {
    await sandbox.apply(deployment('echo', { replicas: 2, morePorts: '{containerPort: 9053, protocol: UDP}' }) + bareService('echo', 'selector: {app: echo}, ports: [{name: dns, port: 5353, targetPort: 9053, protocol: UDP}]'))
    await sandbox.rolledOut('echo')
    const port = await expose('udp', 'echo:dns')
    const clusterIP = await sandbox.kube('get service echo -o jsonpath={.spec.clusterIP}')
    for (const [to, host] of [[port, '127.0.0.1'], [5353, clusterIP]] as const) {
      const seen = new Set<string>()
      await eventually(async () => {
        const client = await peer()
        client.socket.send('hello', to, host)
        const text = await Promise.race([client.next(), new Promise<string>((resolve) => setTimeout(resolve, 200, ''))])
        if (text !== '') seen.add(text)
        return [...seen]
      }, (texts) => texts.length === 2)
      expect([...seen].filter((text) => !/^echo-\S+ hello$/.test(text))).toEqual([])
    }
  })

  it('keeps a client with its endpoint until it is silent for too long, then forgets it', async () => {
    const [one, two] = [await peer((text) => `one ${text}`, 0, '127.0.0.41'), await peer((text) => `two ${text}`, 0, '127.0.0.41')]
    await sandbox.apply(
      bareService('talk', 'ports: [{name: talk, port: 1, protocol: UDP}]') +
        [one, two].map(({ port }, i) => slice('talk', port, ['127.0.0.41']).replace('talk-by-hand', `talk-${i}`).replace('{name: "", port', '{name: talk, protocol: UDP, port')).join(''),
    )
    const port = await expose('udp', 'talk:talk')
    const [lively, silent] = [await peer(), await peer()]
    const first = await answerOf(lively, port)
    const other = await answerOf(silent, port)
    expect([first, other].sort()).toEqual(['one hello', 'two hello'])
    expect(await figure('connections', port)).toBe(2)
    await eventually(async () => {
      lively.send(port, 'hello')
      return figure('connections', port)
    }, (clients) => clients === 1, { every: 50 })
    const from = (first.startsWith('one') ? one : two).senders
    expect(new Set(from).size).toBe(1)
    expect(from.length).toBeGreaterThan(2)
    await eventually(async () => {
      silent.send(port, 'hello')
      return figure('connections_total', port)
    }, (clients) => clients === 3)
    // Whom an endpoint sees is the session, not the client.
    await eventually(async () => new Set([...one.senders, ...two.senders]).size, (sessions) => sessions === 3)
  })

  it('of an external name goes to the addresses that DNS has for it, and to others once it says so', async () => {
    const first = await peer((text) => `first ${text}`, 0, '127.0.0.51')
    const second = await peer((text) => `second ${text}`, first.port, '127.0.0.52')
    expect(second.port).toBe(first.port)
    dns.names.set('ns.example.net', { a: ['127.0.0.51'], ttl: 0 })
    await sandbox.apply(bareService('ns', `type: ExternalName, externalName: ns.example.net, ports: [{name: dns, port: 53, targetPort: ${first.port}, protocol: UDP}]`))
    const port = await expose('udp', 'ns:dns')
    const client = await peer()
    expect(await answerOf(client, port)).toBe('first hello')
    dns.names.set('ns.example.net', { a: ['127.0.0.52'], ttl: 0 })
    expect(await answerOf(client, port, (text) => text.startsWith('second'))).toBe('second hello')
    dns.names.set('ns.example.net', 'NXDOMAIN')
    await sandbox.event('udp', /ExternalNameUnresolved.*"ns\.example\.net" of Service default\/ns has no address in DNS/)
    const failures = await figure('failures_total', port)
    await eventually(async () => {
      client.send(port, 'anybody?')
      return figure('failures_total', port)
    }, (count) => count > failures)
  })
})
