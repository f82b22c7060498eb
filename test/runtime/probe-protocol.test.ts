// Health checks in TLS and HTTP/2, gRPC's own among them, over real sockets.
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { Server as GrpcServer, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js'
import { afterEach, expect, test } from 'vitest'
import { DEFAULT_PROBE, type Probe } from '../../src/model/probe.ts'
import type { Endpoint } from '../../src/model/routing.ts'
import { callProbe } from '../../src/runtime/probe-call.ts'
import { GRPC_HEALTH } from '../../src/runtime/probe-protocol.ts'
import { H2C, overTls } from '../support/backend-protocol.ts'
import { startHttp2Backend } from '../support/http2-backend.ts'
import { makePair } from '../support/secure.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close()
})

const TCP: Probe = { ...DEFAULT_PROBE, timeout: 2000 }
const HTTP: Probe = { ...TCP, path: '/healthz' }
const at = (port: number): Endpoint => ({ id: `127.0.0.1:${port}`, address: '127.0.0.1', port, weight: 1 })
const portOf = (server: Server): number => (server.address() as AddressInfo).port

test('in TLS: the answer counts, and so does the certificate where it is to be verified', async () => {
  const pair = makePair('backend.example')
  const server = createServer({ cert: pair.certificate, key: pair.privateKey }, (request, response) => response.writeHead(request.url === '/healthz' ? 200 : 503).end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => server.close(), () => server.closeAllConnections())
  const endpoint = at(portOf(server))
  const verify = { ca: { certificates: pair.certificate }, depth: 0 }
  expect(await callProbe(endpoint, HTTP, 'a', overTls({ verify })).result).toBeUndefined()
  expect(await callProbe(endpoint, { ...HTTP, path: '/other' }, 'a', overTls()).result).toBe('status 503')
  expect(await callProbe(endpoint, TCP, 'a', overTls()).result).toBeUndefined()
  for (const probe of [HTTP, TCP]) expect(await callProbe(endpoint, probe, 'a', overTls({ verify, name: 'else.example' })).result).toBe('not for else.example')
  expect(await callProbe(at(1), HTTP, 'a', overTls()).result).toBe('ECONNREFUSED')
})

test('in HTTP/2', async () => {
  const { port, close } = await startHttp2Backend((stream, headers) => stream.respond({ ':status': headers[':path'] === '/healthz' ? 204 : 500 }, { endStream: true }))
  closers.push(close)
  expect(await callProbe(at(port), HTTP, 'a', H2C).result).toBeUndefined()
  expect(await callProbe(at(port), { ...HTTP, path: '/' }, 'a', H2C).result).toBe('status 500')
  expect(await callProbe(at(port), TCP, 'a', H2C).result).toBeUndefined()
})

test('by the health service of gRPC: what it serves, what it does not, and where there is none', async () => {
  let answer = Buffer.from([8, 1])
  const bytes = (value: Buffer): Buffer => value
  const service = { Check: { path: GRPC_HEALTH, requestStream: false, responseStream: false, requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes } } satisfies ServiceDefinition
  const start = async (withService: boolean): Promise<Endpoint> => {
    const server = new GrpcServer()
    if (withService) server.addService(service, { Check: (_call: unknown, done: (error: null, value: Buffer) => void) => done(null, answer) })
    const port = await new Promise<number>((resolve, reject) => server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error))))
    closers.push(() => server.forceShutdown())
    return at(port)
  }
  const probe = { ...TCP, path: GRPC_HEALTH }
  const endpoint = await start(true)
  expect(await callProbe(endpoint, probe, 'a', H2C).result).toBeUndefined()
  answer = Buffer.from([8, 2])
  expect(await callProbe(endpoint, probe, 'a', H2C).result).toBe('not serving')
  expect(await callProbe(await start(false), probe, 'a', H2C).result).toBe('grpc-status 12')
})
