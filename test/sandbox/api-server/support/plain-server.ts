// An API server with the plain kinds, and requests to it.
import { request } from 'node:http'
import { afterEach } from 'vitest'
import type { KubeObject } from '../../../../src/sandbox/api-server/kind.ts'
import { copyJson } from '../../../../src/sandbox/api-server/json-value.ts'
import type { Decoders } from '../../../../src/sandbox/api-server/http/bodies.ts'
import { startApiServer } from '../../../../src/sandbox/api-server/start.ts'
import type { ApiServer, ApiServerOptions } from '../../../../src/sandbox/api-server/start.ts'
import { namespaces, plainSchemas, slowWidgets, widgets } from './plain-kinds.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly body: Record<string, unknown>
}

/** Knows one unknown field: `bogus` in spec. */
export const plainDecoders: Decoders = {
  decodeObject(value) {
    const object = copyJson(value) as KubeObject
    const spec = object['spec']
    const unknown = typeof spec === 'object' && spec !== null && 'bogus' in spec
    if (unknown) delete spec.bogus
    return { object, unknownFields: unknown ? ['spec.bogus'] : [] }
  },
  decodeProtobuf: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as KubeObject,
}

const servers: ApiServer[] = []

export async function startPlain(more: Partial<ApiServerOptions> = {}): Promise<ApiServer> {
  const server = await startApiServer({
    port: 0, address: '127.0.0.1', kinds: [namespaces, widgets, slowWidgets], schemas: plainSchemas, decoders: plainDecoders,
    openApi: { index: () => ({ paths: {} }), document: (name) => (name === 'api/v1' ? { openapi: '3.0.0' } : undefined) },
    log: (line) => {
      throw new Error(line)
    },
    ...more,
  })
  servers.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

export interface Send {
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export async function send(server: ApiServer, path: string, { method = 'GET', body, headers = {} }: Send = {}): Promise<Answer> {
  const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return new Promise((resolve, reject) => {
    const call = request(`${server.url}${path}`, { method, agent: false, headers: { ...(bytes !== undefined && { 'content-type': 'application/json', 'content-length': bytes.length }), ...headers } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const isJson = (response.headers['content-type'] ?? '').startsWith('application/json') && !text.trimEnd().includes('\n')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {} })
      })
      response.on('error', reject)
    })
    call.on('error', reject)
    call.end(bytes)
  })
}

export interface Watch {
  /** Waits for the next event. */
  next(): Promise<{ type: string; object: KubeObject & { code?: number; rows?: unknown[] } }>
  readonly ended: Promise<void>
  close(): void
}

export async function watch(server: ApiServer, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Watch> {
  return new Promise((resolve, reject) => {
    const call = request(`${server.url}${path}`, { agent: false, headers }, (response) => {
      if (response.statusCode !== 200) {
        reject(new Error(`watch answered ${response.statusCode}`))
        return
      }
      let rest = ''
      const lines: string[] = []
      const waiting: ((line: string) => void)[] = []
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        const parts = (rest + chunk).split('\n')
        rest = parts.pop() ?? ''
        for (const line of parts) (waiting.shift() ?? ((text: string) => lines.push(text)))(line)
      })
      const ended = new Promise<void>((done) => {
        response.on('close', () => done())
      })
      response.on('error', () => undefined)
      resolve({
        next: async () => JSON.parse(lines.shift() ?? (await new Promise<string>((take) => waiting.push(take)))) as Awaited<ReturnType<Watch['next']>>,
        ended,
        close: () => call.destroy(),
      })
    })
    call.on('error', reject)
    call.end()
  })
}
