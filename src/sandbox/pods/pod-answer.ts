// What a simulated pod answers to one HTTP request: the request as it arrived, or one of the test paths.
// Knows the pod's name plate only, not the Kubernetes API.
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { textOf, type Arrived } from './pod-page.ts'
import type { Variables } from './service-variables.ts'

/** What a pod knows of itself. */
export interface NamePlate {
  readonly pod: string
  readonly namespace: string
  readonly node: string
  readonly address: string
  readonly image: string
  /** What `env` would print in it. */
  readonly variables?: Variables
}

export interface AnswerContext {
  readonly plate: NamePlate
  readonly port: number
  /** Aborted when the pod stops: endless answers end then. */
  readonly stopping: AbortSignal
}

const BODY_KEPT = 4096
const LONGEST_DELAY_MS = 600_000
const MOST_BYTES = 100 * 1024 ** 3
const CHUNK = Buffer.alloc(65_536, 'narthex-')
const MOST_TICKS = 1_000_000

/** Test paths match at the end of the path, so that they work below an Ingress path that is not rewritten. */
const NUMBERED = /\/(status|delay|bytes)\/(\d{1,15})$/
const PLAIN = /\/(headers|env|stream|upload)$/

export function answer(request: IncomingMessage, response: ServerResponse, context: AnswerContext): void {
  const target = request.url ?? '/'
  const question = target.indexOf('?')
  const path = question < 0 ? target : target.slice(0, question)
  const query = new URLSearchParams(question < 0 ? '' : target.slice(question + 1))
  const numbered = NUMBERED.exec(path)
  const word = numbered?.[1] ?? PLAIN.exec(path)?.[1]
  const number = Number(numbered?.[2] ?? 0)
  switch (word) {
    case 'status': return withBody(request, (arrived) => status(request, response, context, number, arrived, query))
    case 'delay': return delay(request, response, context, number, query)
    case 'bytes': return bytes(request, response, number, query)
    case 'headers': return withBody(request, () => send(response, 200, 'application/json', `${JSON.stringify(headerPairs(request), undefined, 2)}\n`))
    case 'env': return withBody(request, () => environment(request, response, context))
    case 'stream': return stream(request, response, context, query)
    case 'upload': return upload(request, response, context)
    default: return withBody(request, (arrived) => mirror(request, response, context, 200, arrived, query))
  }
}

type Body = Pick<Arrived, 'bytes' | 'start'>

function withBody(request: IncomingMessage, done: (body: Body) => void): void {
  const kept: Buffer[] = []
  let room = BODY_KEPT
  let count = 0
  request.on('data', (chunk: Buffer) => {
    count += chunk.length
    if (room <= 0) return
    kept.push(chunk.subarray(0, room))
    room -= chunk.length
  })
  request.on('end', () => done({ bytes: count, start: Buffer.concat(kept).toString('utf8') }))
}

function mirror(request: IncomingMessage, response: ServerResponse, { plate, port }: AnswerContext, code: number, body: Body, query: URLSearchParams): void {
  const arrived: Arrived = {
    method: request.method ?? '',
    path: request.url ?? '',
    httpVersion: request.httpVersion,
    headers: headerPairs(request),
    client: request.socket.remoteAddress ?? '',
    ...body,
  }
  const json = query.get('format') === 'json' || (query.get('format') === null && (request.headers.accept ?? '').includes('application/json'))
  if (json) {
    const { bytes: length, start, ...rest } = arrived
    const { variables: _, ...facts } = plate
    const answered = { ...facts, port, ...rest, body: { bytes: length, start, cut: length > BODY_KEPT } }
    send(response, code, 'application/json', `${JSON.stringify(answered, undefined, 2)}\n`)
  } else {
    send(response, code, 'text/plain; charset=utf-8', textOf(plate, port, code, arrived))
  }
}

function status(request: IncomingMessage, response: ServerResponse, context: AnswerContext, code: number, body: Body, query: URLSearchParams): void {
  // 1xx are no final answers, and Node accepts three digits only.
  if (code < 200 || code > 999) return send(response, 400, 'text/plain; charset=utf-8', `${context.plate.pod}: /status/ takes 200 to 999\n`)
  if (code === 204 || code === 205 || code === 304) {
    response.writeHead(code).end()
    return
  }
  mirror(request, response, context, code, body, query)
}

function delay(request: IncomingMessage, response: ServerResponse, context: AnswerContext, ms: number, query: URLSearchParams): void {
  withBody(request, (body) => {
    const timer = setTimeout(() => mirror(request, response, context, 200, body, query), Math.min(ms, LONGEST_DELAY_MS))
    response.on('close', () => clearTimeout(timer))
  })
}

/** `n` bytes as fast as the client takes them; `?chunked` leaves Content-Length out. */
function bytes(request: IncomingMessage, response: ServerResponse, n: number, query: URLSearchParams): void {
  request.resume()
  let left = Math.min(n, MOST_BYTES)
  response.setHeader('Content-Type', 'application/octet-stream')
  if (!query.has('chunked')) response.setHeader('Content-Length', left)
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  const pour = (): void => {
    while (left > 0) {
      const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK
      left -= chunk.length
      if (!response.write(chunk)) {
        response.once('drain', pour)
        return
      }
    }
    response.end()
  }
  pour()
}

/** As `env` prints it; JSON by Accept. */
function environment(request: IncomingMessage, response: ServerResponse, { plate: { variables = [] } }: AnswerContext): void {
  if ((request.headers.accept ?? '').includes('application/json')) send(response, 200, 'application/json', `${JSON.stringify(Object.fromEntries(variables), undefined, 2)}\n`)
  else send(response, 200, 'text/plain; charset=utf-8', variables.map(([name, value]) => `${name}=${value}\n`).join(''))
}

/** Server-sent events: one tick every `?interval=` ms (1000), `?count=` of them or until either side goes. */
function stream(request: IncomingMessage, response: ServerResponse, { plate, stopping }: AnswerContext, query: URLSearchParams): void {
  request.resume()
  const interval = Math.min(Math.max(Number(query.get('interval') ?? 1000) || 1, 1), LONGEST_DELAY_MS)
  const most = Math.min(Math.max(Number(query.get('count') ?? MOST_TICKS) || 1, 1), MOST_TICKS)
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  response.flushHeaders()
  let tick = 0
  const end = (): void => void response.end()
  const timer = setInterval(() => {
    tick++
    // A client that does not read gets no further ticks rather than our memory.
    if (!response.writableNeedDrain) response.write(`id: ${tick}\ndata: ${plate.pod} tick ${tick}\n\n`)
    if (tick >= most) response.end()
  }, interval)
  stopping.addEventListener('abort', end)
  response.on('close', () => {
    clearInterval(timer)
    stopping.removeEventListener('abort', end)
  })
}

function upload(request: IncomingMessage, response: ServerResponse, { plate }: AnswerContext): void {
  const hash = createHash('sha256')
  let count = 0
  request.on('data', (chunk: Buffer) => {
    count += chunk.length
    hash.update(chunk)
  })
  request.on('end', () => send(response, 200, 'application/json', `${JSON.stringify({ pod: plate.pod, bytes: count, sha256: hash.digest('hex') })}\n`))
}

function headerPairs(request: IncomingMessage): readonly (readonly [string, string])[] {
  const pairs: [string, string][] = []
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) pairs.push([request.rawHeaders[i] ?? '', request.rawHeaders[i + 1] ?? ''])
  return pairs
}

function send(response: ServerResponse, code: number, type: string, text: string): void {
  const body = Buffer.from(text, 'utf8')
  response.statusCode = code
  // Set one by one: what writeHead is given can't be read back for the log.
  response.setHeader('Content-Type', type)
  response.setHeader('Content-Length', body.length)
  response.end(body)
}
