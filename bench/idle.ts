// node bench/idle.ts [connections]: resident memory of idle keep-alive connections over HTTP, each after one request.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { HOST } from './peer.ts'
import { narthex } from './peers/narthex.ts'
import { nginx } from './peers/nginx.ts'
import { residentBytes } from './process.ts'
import { onStage, withPeer } from './stage.ts'

const COUNT = Number(process.argv[2] ?? 10_000)
const AT_ONCE = 100

async function open(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port }).on('error', (error) => process.stderr.write(`idle: ${error.message}\n`))
  socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nUser-Agent: idle\r\n\r\n`)
  await once(socket, 'data')
  return socket
}

async function openMany(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () => open(port)))))
  }
  return sockets
}

await onStage(async (stage) => {
  for (const peer of [narthex, nginx]) {
    await withPeer(peer, stage, async ({ httpPort }, running) => {
      // The supervisor's own claim on the port ends only when its threads listen.
      await sleep(1500)
      // Warm first, so that what grows once for all is there already.
      for (const socket of await openMany(httpPort, 2 * AT_ONCE)) socket.destroy()
      await sleep(500)
      const before = residentBytes(running.pid)
      const sockets = await openMany(httpPort, COUNT)
      await sleep(3000)
      const grown = residentBytes(running.pid) - before
      const open = sockets.filter(({ destroyed }) => !destroyed).length
      process.stdout.write(`${peer.name.padEnd(8)} ${open} open  ${(grown / COUNT / 1024).toFixed(1)} KiB each  ${(grown / 1024 ** 2).toFixed(0)} MiB in all\n`)
      for (const socket of sockets) socket.destroy()
    })
  }
})
process.exit(0)
