// One DNS message in, one out: flags, sizes and the SOA of negative answers. Knows the codec, no sockets.
import packet, { type Answer, type DecodedPacket, type Packet } from 'dns-packet'
import { CLUSTER_DOMAIN, type ZoneAnswer, type ZoneRecord } from './cluster-zone.ts'

/** Seconds, as kubeadm configures CoreDNS. */
const TTL = 30
/** RFC 1035 without EDNS; what we take and send at most with it (the DNS flag day of 2020). */
const PLAIN_SIZE = 512
const EDNS_SIZE = 1232
const OPCODE = 0x7800
const RCODES = { found: 0, 'format-error': 1, 'no-such-name': 3, 'not-implemented': 4, refused: 5 } as const

export type LookUp = (name: string, type: string) => ZoneAnswer

/** Undefined: no answer is due, since it is no query. `largest`: in bytes, what the transport takes; undefined: what the client says. */
export function reply(message: Buffer, lookUp: LookUp, largest?: number): Buffer | undefined {
  const query = read(message)
  if (query === undefined || query.type !== 'query') return undefined
  const edns = query.additionals?.find((record) => record.type === 'OPT')
  const size = largest ?? (edns === undefined ? PLAIN_SIZE : Math.min(Math.max(edns.udpPayloadSize, PLAIN_SIZE), EDNS_SIZE))
  const made = answer(query, lookUp)
  const whole = { ...made, additionals: [...(made.additionals ?? []), ...(edns === undefined ? [] : [OWN_OPT])] }
  const bytes = packet.encode(whole)
  if (bytes.length <= size) return bytes
  // The client comes again over TCP.
  return packet.encode({ ...whole, flags: (whole.flags ?? 0) | packet.TRUNCATED_RESPONSE, answers: [], authorities: [], additionals: edns === undefined ? [] : [OWN_OPT] })
}

const OWN_OPT: Answer = { type: 'OPT', name: '.', udpPayloadSize: EDNS_SIZE, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }

function read(message: Buffer): DecodedPacket | undefined {
  try {
    return packet.decode(message)
  } catch {
    // Whoever sends garbage is not owed an answer.
    return undefined
  }
}

function answer(query: DecodedPacket, lookUp: LookUp): Packet {
  const base: Packet = { type: 'response', ...(query.id !== undefined && { id: query.id }), questions: query.questions?.slice(0, 1) ?? [] }
  const asked = (query.flags ?? 0) & packet.RECURSION_DESIRED
  const [question, ...more] = query.questions ?? []
  if (((query.flags ?? 0) & OPCODE) !== 0) return { ...base, flags: asked | RCODES['not-implemented'] }
  if (question === undefined || more.length > 0) return { ...base, flags: asked | RCODES['format-error'] }
  const { outcome, answers, additionals } = lookUp(question.name, question.type)
  if (outcome === 'refused') return { ...base, flags: asked | RCODES.refused }
  const flags = asked | packet.AUTHORITATIVE_ANSWER | RCODES[outcome]
  if (answers.length === 0) return { ...base, flags, authorities: [soaFor(question.name)] }
  return { ...base, flags, answers: answers.map(wire), additionals: additionals.map(wire) }
}

function wire(record: ZoneRecord): Answer {
  return { ...record, ttl: TTL, class: 'IN' }
}

/** So that a negative answer may be kept for as long as a positive one (RFC 2308). */
function soaFor(name: string): Answer {
  const zone = name.toLowerCase().endsWith('.in-addr.arpa') ? 'in-addr.arpa' : CLUSTER_DOMAIN
  const data = { mname: `ns.dns.${zone}`, rname: `hostmaster.${zone}`, serial: 1, refresh: 7200, retry: 1800, expire: 86_400, minimum: TTL }
  return { type: 'SOA', name: zone, ttl: TTL, class: 'IN', data }
}
