// Asks an OCSP responder over HTTP. Its URL stands in a certificate, so whoever may write a Secret chooses it: addresses inside are
// refused, names are resolved first and only what was looked at is connected to, nothing is followed, and all is bounded.
import { request } from 'node:http'
import { isIP } from 'node:net'
import { addressList } from '../base/address-list.ts'

/** IP literals. Rejects when it can't be known. */
export type Resolve = (name: string) => Promise<readonly string[]>

export interface FetchOptions {
  readonly resolve: Resolve
  /** Loopback, link-local and private addresses are asked too. */
  readonly allowPrivate: boolean
  /** Milliseconds, for all of it. */
  readonly timeout: number
}

export class FetchFailure extends Error {}

const LARGEST = 64 * 1024

/** Loopback, link-local, private and shared ranges, documentation, multicast, reserved, and IPv6 forms that carry IPv4 addresses. */
const INSIDE = addressList([
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.168.0.0/16',
  '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/3',
  '::/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32', '2002::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8',
])

/** Rejects with FetchFailure, whose message is a clause for users. */
export async function fetchResponse(url: string, body: Buffer, { resolve, allowPrivate, timeout }: FetchOptions): Promise<Buffer> {
  const { protocol, hostname, port, pathname, search, host } = new URL(url)
  if (protocol !== 'http:') throw new FetchFailure('the responder is not asked by http')
  const name = hostname.replace(/^\[|\]$/g, '')
  const signal = AbortSignal.timeout(timeout)
  const addresses = isIP(name) === 0 ? await withSignal(resolve(name), signal) : [name]
  const address = addresses.find((each) => allowPrivate || !INSIDE.has(each))
  if (address === undefined) {
    throw new FetchFailure(addresses.length === 0 ? 'the name of the responder has no address' : 'the responder is at a private address, which --allow-private-ocsp-responders would allow')
  }
  return post({ address, port: port === '' ? 80 : Number(port), path: pathname + search, host, body, signal })
}

async function withSignal(resolving: Promise<readonly string[]>, signal: AbortSignal): Promise<readonly string[]> {
  const late = new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(new FetchFailure('the responder did not answer in time')), { once: true }))
  late.catch(() => undefined)
  return Promise.race([resolving.catch(() => Promise.reject(new FetchFailure('the name of the responder could not be resolved'))), late])
}

interface Post {
  readonly address: string
  readonly port: number
  readonly path: string
  readonly host: string
  readonly body: Buffer
  readonly signal: AbortSignal
}

function post({ address, port, path, host, body, signal }: Post): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      reject(new FetchFailure(reason))
      asked.destroy()
    }
    const headers = { host, 'content-type': 'application/ocsp-request', 'content-length': body.length, accept: 'application/ocsp-response', connection: 'close' }
    const asked = request({ host: address, port, path, method: 'POST', headers, agent: false, signal }, (response) => {
      if (response.statusCode !== 200) return fail(`the responder answered ${response.statusCode}`)
      if (response.headers['content-type']?.split(';')[0]?.trim().toLowerCase() !== 'application/ocsp-response') return fail('the responder answered something else than OCSP')
      const parts: Buffer[] = []
      let length = 0
      response.on('data', (part: Buffer) => {
        length += part.length
        if (length > LARGEST) fail(`the responder's answer is larger than ${LARGEST / 1024} KiB`)
        else parts.push(part)
      })
      response.once('end', () => (response.complete ? resolve(Buffer.concat(parts)) : fail('the responder ended in the middle of its answer')))
      response.once('error', () => fail(unreachable(signal)))
    })
    asked.on('error', () => fail(unreachable(signal)))
    asked.end(body)
  })
}

function unreachable(signal: AbortSignal): string {
  return signal.aborted ? 'the responder did not answer in time' : 'the responder can not be reached'
}
