// Configuration and credentials, against a real HTTPS server that notes who called.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readJson } from '../../src/kube/api-failure.ts'
import { connect, connectToUrl, type Connection } from '../../src/kube/connection.ts'

let folder = ''
let server: Server
let connections = 0
let seen: { readonly url: string; readonly authorization: string; readonly subject: string }[] = []
let answer: (request: IncomingMessage) => number = () => 200
const open: Connection[] = []

const at = (name: string): string => join(folder, name)
const base64 = (name: string): string => readFileSync(at(name)).toString('base64')

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'narthex-kubeconfig-'))
  for (const [name, extra] of [['server', ['-addext', 'subjectAltName=IP:127.0.0.1']], ['client', []]] as const) {
    execFileSync('openssl', ['req', '-x509', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.crt`), ...extra], { stdio: 'pipe' })
  }
  server = createServer({ key: readFileSync(at('server.key')), cert: readFileSync(at('server.crt')), ca: readFileSync(at('client.crt')), requestCert: true, rejectUnauthorized: false }, (request, response) => {
    const certificate = (request.socket as TLSSocket).getPeerCertificate()
    seen.push({ url: request.url ?? '', authorization: request.headers.authorization ?? '', subject: certificate.subject?.CN?.toString() ?? '' })
    response.writeHead(answer(request), { 'content-type': 'application/json' })
    response.end('{"kind":"Status","message":"hello"}')
  })
  server.on('secureConnection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
beforeEach(() => {
  connections = 0
  seen = []
  answer = () => 200
})
afterEach(async () => {
  for (const connection of open.splice(0)) await connection.close()
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  rmSync(folder, { recursive: true, force: true })
})

const url = (): string => `https://127.0.0.1:${(server.address() as AddressInfo).port}`

function kubeconfig(user: string, cluster = `{server: "${url()}", certificate-authority-data: ${base64('server.crt')}}`): string {
  const file = at('kubeconfig')
  writeFileSync(file, `apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters: [{name: a, cluster: ${cluster}}]\nusers: [{name: a, user: ${user}}]\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n`)
  return file
}

async function connected(file: string, context = ''): Promise<Connection> {
  const connection = await connect({ kubeconfig: file, context })
  open.push(connection)
  return connection
}

const get = async (connection: Connection, path = '/api'): Promise<unknown> => readJson(await connection.request({ method: 'GET', path }))

describe('a kubeconfig', () => {
  test('with a token: sent with every call, over shared connections', async () => {
    const connection = await connected(kubeconfig('{token: one}'))
    expect(connection.server).toBe(url())
    for (let i = 0; i < 20; i++) await get(connection)
    expect(new Set(seen.map((call) => call.authorization))).toEqual(new Set(['Bearer one']))
    // A second one when a call begins before the last answer has left the first.
    expect(connections).toBeLessThanOrEqual(2)
  })

  test('that changes is read again once the server refuses us', async () => {
    const connection = await connected(kubeconfig('{token: old}'))
    answer = (request) => (request.headers.authorization === 'Bearer new' ? 200 : 401)
    kubeconfig('{token: new}')
    await expect(get(connection)).rejects.toMatchObject({ status: 401 })
    await expect(get(connection)).resolves.toMatchObject({ message: 'hello' })
  })

  test('with a client certificate', async () => {
    await get(await connected(kubeconfig(`{client-certificate-data: ${base64('client.crt')}, client-key-data: ${base64('client.key')}}`)))
    expect(seen[0]?.subject).toBe('client')
  })

  test('with a user and a password', async () => {
    await get(await connected(kubeconfig('{username: me, password: "pässword"}')))
    expect(seen[0]?.authorization).toBe(`Basic ${Buffer.from('me:pässword').toString('base64')}`)
  })

  test('with another authority refuses the server', async () => {
    await expect(get(await connected(kubeconfig('{token: one}', `{server: "${url()}", certificate-authority-data: ${base64('client.crt')}}`)))).rejects.toThrow(/certificate/)
    expect(seen).toEqual([])
  })

  test('whose server has a path keeps it', async () => {
    await get(await connected(kubeconfig('{token: one}', `{server: "${url()}/k8s/clusters/c-1/", certificate-authority-data: ${base64('server.crt')}}`)), '/api/v1')
    expect(seen[0]?.url).toBe('/k8s/clusters/c-1/api/v1')
  })

  test.each([
    ['a file that is not there', () => at('nothing'), '', /kubeconfig .*nothing can't be read: .*ENOENT.*--kubeconfig/],
    ['a context that is not there', () => kubeconfig('{token: one}'), 'other', /has no context "other"; it has a/],
  ])('%s is refused with the reason', async (_, file, context, message) => {
    await expect(connect({ kubeconfig: file(), context })).rejects.toThrow(message)
  })

  test('that is no YAML is refused with its name and without its credentials', async () => {
    writeFileSync(at('broken'), 'users:\n- name: a\n  user: {token: hunter2\nclusters: ]')
    const error: unknown = await connect({ kubeconfig: at('broken') }).catch((reason: unknown) => reason)
    expect(String(error)).toMatch(/broken can't be read: .*\(\d+:\d+\)/)
    expect(inspect(error)).not.toContain('hunter2')
  })
})

test('an address needs no client-node and no credentials', async () => {
  const connection = connectToUrl('http://127.0.0.1:1')
  open.push(connection)
  await expect(get(connection)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
