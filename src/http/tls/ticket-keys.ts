// The keys of session tickets: which one encrypts, which ones are still understood, and how a TLS server gets them. Made from one secret
// and the time, so that all who have the secret change to the next key at the same moment without a word.
import { hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Server } from 'node:tls'

/** 48 bytes each, as node:tls has them: name, HMAC-SHA-256 key, AES-128-CBC key (RFC 5077 section 4). */
export interface TicketKeys {
  readonly current: Uint8Array
  /** Of tickets from before, and of replicas whose clock is ahead; empty most of the time. */
  readonly accepted: readonly Uint8Array[]
}

export const ROTATION_MS = 8 * 3_600_000
/** Seconds that a ticket lives: less than `OVERLAP_MS`. OpenSSL's own would be two hours, whatever Node's documentation says. */
export const TICKET_LIFETIME = 300
/** Clocks differ: so long before and after a change the other key is understood too. */
export const OVERLAP_MS = 600_000

const PART = 16
const NO_KEY = Buffer.alloc(PART)

/** `now` in milliseconds since the epoch. */
export function ticketKeysAt(secret: Uint8Array, now: number): TicketKeys {
  const period = Math.floor(now / ROTATION_MS)
  const since = now % ROTATION_MS
  const accepted = since < OVERLAP_MS ? [keyOf(secret, period - 1)] : since >= ROTATION_MS - OVERLAP_MS ? [keyOf(secret, period + 1)] : []
  return { current: keyOf(secret, period), accepted }
}

/** Milliseconds until `ticketKeysAt` answers something else. */
export function untilRotation(now: number): number {
  const since = now % ROTATION_MS
  const next = since < OVERLAP_MS ? OVERLAP_MS : since < ROTATION_MS - OVERLAP_MS ? ROTATION_MS - OVERLAP_MS : ROTATION_MS
  return next - since
}

function keyOf(secret: Uint8Array, period: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, 'narthex session tickets', `period ${period}`, 3 * PART))
}

type KeyCallback = (name: Buffer, iv: Buffer, encrypts: boolean) => readonly [number, Uint8Array, Uint8Array, Uint8Array?, Uint8Array?]

/**
 * Lets `server` write and read tickets with these keys. With more than one, OpenSSL asks for the key by its name; Node has the callback for it but not in
 * public: where it does not look as expected, the current key alone is in force. Asking costs a
 * tenth of a handshake, and a server that began to ask goes on: so a new one is made when there is one key again.
 */
export function useTicketKeys(server: Server, { current, accepted }: TicketKeys): void {
  server.setTicketKeys(Buffer.from(current))
  if (accepted.length === 0) return
  const credentials: unknown = Reflect.get(server, '_sharedCreds')
  const native: unknown = isObject(credentials) ? Reflect.get(credentials, 'context') : undefined
  if (!isObject(native)) return
  const enable: unknown = Reflect.get(native, 'enableTicketKeyCallback')
  if (typeof enable !== 'function') return
  const keys = [current, ...accepted].map(partsOf)
  const [first] = keys
  if (first === undefined) return
  const callback: KeyCallback = (name, _iv, encrypts) => {
    if (encrypts) return [1, first.hmac, first.aes, first.name, randomBytes(PART)]
    const index = keys.findIndex((key) => timingSafeEqual(key.name, name))
    const key = keys[index]
    // 0: a whole handshake. 2: resumed, with a new ticket.
    return key === undefined ? [0, NO_KEY, NO_KEY] : [index === 0 ? 1 : 2, key.hmac, key.aes]
  }
  Reflect.set(native, 'onticketkeycallback', callback)
  enable.call(native)
}

function partsOf(key: Uint8Array): { readonly name: Buffer; readonly hmac: Buffer; readonly aes: Buffer } {
  const bytes = Buffer.from(key)
  return { name: bytes.subarray(0, PART), hmac: bytes.subarray(PART, 2 * PART), aes: bytes.subarray(2 * PART, 3 * PART) }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
