// A small HTTP client for virtual hosts: one request to a port with a Host field, over node:http.
import { request, type Agent, type IncomingHttpHeaders } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface HostRequest {
  readonly port: number
  readonly host: string
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly agent?: Agent
}

export function fetchHost({ port, host, path = '/', method = 'GET', headers = {}, agent }: HostRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port, path, method, headers: { host, ...headers }, agent: agent ?? false }, (res) => {
      let body = ''
      res.setEncoding('utf8').on('data', (text: string) => (body += text))
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body }))
      res.on('error', reject)
    })
    req.on('error', reject)
    req.end()
  })
}

/** The pod that answered: the first word of the simulated pods' text answer. */
export function podOf(answer: Answer): string {
  return answer.body.split(' ')[0] ?? ''
}

/** Tries until `good` or the time is over; then throws with what was seen last. */
export async function eventually<T>(probe: () => Promise<T>, good: (value: T) => boolean, { within = 10_000, every = 10 } = {}): Promise<T> {
  const end = performance.now() + within
  for (;;) {
    const value = await probe()
    if (good(value)) return value
    if (performance.now() > end) throw new Error(`still not so after ${within} ms: ${JSON.stringify(value).slice(0, 2000)}`)
    await new Promise((resolve) => setTimeout(resolve, every))
  }
}
