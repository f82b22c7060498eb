// One health check of one endpoint over a connection of its own. Answers undefined when it is well, else why it is not.
import { request } from 'node:http'
import { connect } from 'node:net'
import type { BackendProtocol } from '../model/backend-protocol.ts'
import type { Probe } from '../model/probe.ts'
import type { Endpoint } from '../model/routing.ts'
import { codeOf, tryProtocol } from './probe-protocol.ts'

export interface ProbeCall {
  readonly result: Promise<string | undefined>
  /** Ends it at once; the result then means nothing. */
  cancel(): void
}

/** `host`: what a Host field says. `protocol`: undefined: HTTP/1.1 in the clear. */
export type ProbeFunction = (endpoint: Endpoint, probe: Probe, host: string, protocol?: BackendProtocol) => ProbeCall

const LARGEST_HEAD = 16 * 1024

export const callProbe: ProbeFunction = (endpoint, probe, host, protocol) => {
  let end: (trouble: string | undefined) => void = () => undefined
  const result = new Promise<string | undefined>((resolve) => (end = resolve))
  const attempt =
    protocol !== undefined ? tryProtocol(endpoint, protocol, probe.path, host, end) : probe.path === undefined ? tryConnection(endpoint, end) : tryRequest(endpoint, probe.path, host, end)
  const timer = setTimeout(() => end(`no answer within ${probe.timeout} ms`), probe.timeout)
  void result.then(() => {
    clearTimeout(timer)
    attempt.destroy()
  })
  return { result, cancel: () => end('cancelled') }
}

function tryConnection({ address, port }: Endpoint, end: (trouble: string | undefined) => void): { destroy(): void } {
  const socket = connect({ host: address, port })
  socket.once('connect', () => end(undefined))
  socket.on('error', (error) => end(codeOf(error)))
  return socket
}

function tryRequest({ address, port }: Endpoint, path: string, host: string, end: (trouble: string | undefined) => void): { destroy(): void } {
  const sent = request({ host: address, port, path, agent: false, maxHeaderSize: LARGEST_HEAD, headers: { Host: host, 'User-Agent': 'narthex-health-check', Connection: 'close' } })
  sent.on('response', (response) => {
    const { statusCode = 0 } = response
    response.on('error', () => undefined)
    end(statusCode >= 200 && statusCode < 400 ? undefined : `status ${statusCode}`)
  })
  sent.on('upgrade', (_response, socket) => {
    socket.destroy()
    end('status 101')
  })
  sent.on('error', (error) => end(codeOf(error)))
  sent.end()
  return sent
}
