// The whole controller behind a sender of PROXY protocol headers that is a trusted proxy too: what the access log says of its clients.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../support/fetch-host.ts'
import { runNarthex, startNarthex, type Narthex } from '../support/narthex.ts'
import { RawClient } from '../support/raw-client.ts'

const exec = promisify(execFile)

let narthex: Narthex

beforeAll(async () => {
  narthex = await startNarthex([
    'sandbox', '--threads=2', '--access-log', '--use-proxy-protocol', '--use-forwarded-headers', '--proxy-real-ip-cidr=127.0.0.0/8,10.0.0.0/8', '--max-connections-per-client=2',
  ])
})

afterAll(async () => {
  await narthex.stop()
})

interface Line {
  readonly client: string
  readonly path: string
  readonly scheme: string
  readonly status: number
}

async function logged(path: string): Promise<Line> {
  const lines = (): Line[] => narthex.stdout().split('\n').filter((line) => line.includes(`"path":"${path}"`)).map((line) => JSON.parse(line))
  const found = await eventually(async () => lines()[0], (line) => line !== undefined)
  if (found === undefined) throw new Error('no such line')
  return found
}

async function ask(from: string, path: string, fields = ''): Promise<RawClient> {
  const client = await RawClient.connect(narthex.ports['http'] ?? 0)
  client.send(`PROXY TCP4 ${from} 192.0.2.1 4711 80\r\nGET ${path} HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`)
  return client
}

it('names the source of the header, or whom a trusted source speaks for', async () => {
  for (const [from, path, fields, client] of [
    ['198.51.100.7', '/direct', '', '198.51.100.7'],
    ['198.51.100.7', '/spoofed', 'X-Forwarded-For: 10.1.1.1\r\n', '198.51.100.7'],
    ['10.0.0.1', '/proxied', 'X-Forwarded-For: 192.0.2.9, 203.0.113.9, 10.0.0.2\r\n', '203.0.113.9'],
  ] as const) {
    const connection = await ask(from, path, fields)
    expect((await connection.response()).status).toBe(404)
    connection.close()
    expect(await logged(path)).toMatchObject({ client, scheme: 'http', status: 404 })
  }
})

it('curl: the same over HTTPS', async () => {
  await exec('curl', ['-sSk', '--haproxy-protocol', '--max-time', '10', `https://127.0.0.1:${narthex.ports['https']}/secure`])
  expect(await logged('/secure')).toMatchObject({ client: '127.0.0.1', scheme: 'https', status: 404 })
})

it('closes connections without a header', async () => {
  const client = await RawClient.connect(narthex.ports['http'] ?? 0)
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await client.finished()
  expect(client.text()).toBe('')
})

it('limits the connections of a client over all threads', async () => {
  const statuses: number[] = []
  const open: RawClient[] = []
  for (let i = 0; i < 6; i++) {
    const client = await ask('198.51.100.99', `/limited-${i}`)
    open.push(client)
    statuses.push(await client.response().then(({ status }) => status, () => 0))
  }
  for (const client of open) client.close()
  expect(statuses).toEqual([404, 404, 0, 0, 0, 0])
})

it('does not start where nobody would be believed', async () => {
  const { code, stderr } = await runNarthex(['sandbox', '--use-proxy-protocol'])
  expect([code, stderr]).toEqual([2, expect.stringContaining('--use-proxy-protocol takes connections from nobody')])
})
