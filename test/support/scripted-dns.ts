// A DNS server that answers as a test says, over UDP on loopback, and counts what it was asked.
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { decode, encode, RECURSION_DESIRED, type Answer } from 'dns-packet'

export type DnsScript =
  | { readonly a?: readonly string[]; readonly aaaa?: readonly string[]; readonly ttl?: number; readonly cname?: string }
  /** An rcode by its name, or no answer at all. */
  | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | 'silence'

const RCODES = { NXDOMAIN: 3, SERVFAIL: 2, REFUSED: 5 }

export class ScriptedDns {
  /** By name; a name that is not there does not exist. */
  readonly names = new Map<string, DnsScript>()
  /** `A db.example.com` of each question. */
  readonly asked: string[] = []
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (message, from) => {
      const reply = this.#reply(message)
      if (reply !== undefined) socket.send(reply, from.port, from.address)
    })
  }

  static async start(): Promise<ScriptedDns> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new ScriptedDns(socket)
  }

  /** As --dns-server takes it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`
  }

  async close(): Promise<void> {
    this.#socket.close()
    await once(this.#socket, 'close')
  }

  #reply(message: Buffer): Buffer | undefined {
    const { id = 0, questions = [] } = decode(message)
    const [question] = questions
    if (question === undefined) return undefined
    const name = question.name.toLowerCase()
    this.asked.push(`${question.type} ${name}`)
    const script = this.names.get(name) ?? 'NXDOMAIN'
    if (script === 'silence') return undefined
    const rcode = typeof script === 'string' ? RCODES[script] : 0
    return encode({ id, type: 'response', flags: RECURSION_DESIRED | (1 << 7) | rcode, questions, answers: typeof script === 'string' ? [] : answersOf(name, question.type, script) })
  }
}

function answersOf(name: string, type: string, { a = [], aaaa = [], ttl = 60, cname }: Exclude<DnsScript, string>): Answer[] {
  const owner = cname ?? name
  const aliases: Answer[] = cname === undefined ? [] : [{ type: 'CNAME', name, ttl, data: cname }]
  const addresses = type === 'A' ? a.map((data): Answer => ({ type: 'A', name: owner, ttl, data })) : type === 'AAAA' ? aaaa.map((data): Answer => ({ type: 'AAAA', name: owner, ttl, data })) : []
  return [...aliases, ...addresses]
}
