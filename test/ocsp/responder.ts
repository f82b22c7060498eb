// `openssl ocsp` as a responder of an authority: it answers from the index of what was issued and revoked. HTTP is ours, since openssl's
// own server listens on all addresses.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import type { Authority } from '../tls/authority.ts'

const exec = promisify(execFile)

export interface Responder {
  readonly url: string
  /** Requests so far. */
  asked(): number
  /** Undefined: openssl answers. */
  answerWith(listener: RequestListener | undefined): void
  stop(): void
}

export interface ResponderOptions {
  /** Name of who signs; left out: the root. */
  readonly signer?: string
  /** Minutes that responses hold. */
  readonly minutes?: number
}

/** Writes the index: names of certificates and whether they were revoked. Responders read it at their start. */
export async function writeIndex(authority: Authority, entries: Readonly<Record<string, 'good' | 'revoked'>>): Promise<void> {
  const lines = await Promise.all(
    Object.entries(entries).map(async ([name, status]) => {
      const { stdout } = await exec('openssl', ['x509', '-in', join(authority.folder, `${name}.pem`), '-noout', '-serial'])
      const serial = stdout.trim().replace(/^serial=/, '')
      return `${status === 'good' ? 'V' : 'R'}\t351231235959Z\t${status === 'good' ? '' : '261001120000Z,keyCompromise'}\t${serial}\tunknown\t/CN=${name}\n`
    }),
  )
  await writeFile(join(authority.folder, 'ocsp.txt'), lines.join(''))
}

/** The DER response of openssl to a DER request. */
export async function respond({ folder }: Authority, request: Buffer, { signer = 'root', minutes = 60 }: ResponderOptions = {}): Promise<Buffer> {
  const name = `${process.hrtime.bigint()}`
  const [asked, answered] = [join(folder, `${name}.req`), join(folder, `${name}.resp`)]
  await writeFile(asked, request)
  await exec('openssl', ['ocsp', '-index', 'ocsp.txt', '-CA', 'root.pem', '-rsigner', `${signer}.pem`, '-rkey', `${signer}.key`, '-reqin', asked, '-respout', answered, '-nmin', String(minutes)], { cwd: folder })
  return readFile(answered)
}

export async function startResponder(authority: Authority, options: ResponderOptions = {}): Promise<Responder> {
  let listener: RequestListener | undefined
  let asked = 0
  const server = createServer((request, response) => {
    asked++
    if (listener !== undefined) return void listener(request, response)
    void buffer(request)
      .then((body) => respond(authority, body, options))
      .then((answer) => response.writeHead(200, { 'content-type': 'application/ocsp-response' }).end(answer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ocsp`,
    asked: () => asked,
    answerWith: (next) => (listener = next),
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}
