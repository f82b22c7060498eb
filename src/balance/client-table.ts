// sessionAffinity ClientIP: which endpoint a client had last, in memory that all threads share. A table of sets of eight places; a
// client has one set, by a hash that nobody outside can foresee. In a full set the client that would be forgotten first makes room, so
// memory and search are bounded. Each set has a lock, held for a search of eight places, so that all threads agree on every client.
import { hash } from 'node:crypto'

const PLACES = 8
/** Two words of the client's hash, its endpoint, and when it is forgotten, in seconds since the epoch. */
const WORDS = 4
const TAG = 0
const SECOND_TAG = 1
const ENDPOINT = 2
const EXPIRES = 3
/** Tries for a lock before waiting for it: a holder that is not gone needs far less. */
const SPINS = 2000
const WAITS = 20

/** Structured-cloneable. */
export interface ClientCells {
  readonly buffer: SharedArrayBuffer
  /** A power of two. */
  readonly sets: number
  /** Random: where clients meet is nobody's to choose. */
  readonly secret: string
}

/** Room for twice that many, so that this many find their place. */
export function clientCells(clients: number, secret: string): ClientCells {
  const sets = 2 ** Math.max(0, Math.ceil(Math.log2((2 * clients) / PLACES)))
  return { buffer: new SharedArrayBuffer(sets * (1 + PLACES * WORDS) * Int32Array.BYTES_PER_ELEMENT), sets, secret }
}

/** Names a client of a Service port in this table. */
export interface ClientKey {
  readonly set: number
  readonly tag: number
  readonly secondTag: number
}

/** Endpoints are non-zero 32-bit integers, times seconds. 0 stands for none. */
export interface ClientTable {
  key(servicePort: string, client: string): ClientKey
  /** The endpoint of the client, which it keeps for `keep` seconds from now; 0 when it has none, or stayed away for too long. */
  find(key: ClientKey, now: number, keep: number): number
  /** The same, but it is kept no longer for that: for those who only look. */
  peek(key: ClientKey, now: number): number
  /**
   * Gives the client an endpoint in place of `before` (0: none) and answers it; or the one that another thread has given it
   * meanwhile.
   */
  claim(key: ClientKey, endpoint: number, before: number, now: number, keep: number): number
}

export function createClientTable({ buffer, sets, secret }: ClientCells): ClientTable {
  const cells = new Int32Array(buffer)

  /** A thread that died with the lock must not stop the others: after a while it is taken from it. */
  function lock(set: number): void {
    for (let tries = 0; Atomics.compareExchange(cells, set, 0, 1) !== 0; tries++) {
      if (tries < SPINS) continue
      if (tries >= SPINS + WAITS) return
      Atomics.wait(cells, set, 1, 1)
    }
  }

  function unlock(set: number): void {
    Atomics.store(cells, set, 0)
  }

  function at(place: number, word: number): number {
    return cells[place + word] ?? 0
  }

  function placeOf({ set, tag, secondTag }: ClientKey, now: number): number {
    const first = sets + set * PLACES * WORDS
    for (let place = first; place < first + PLACES * WORDS; place += WORDS) {
      if (at(place, TAG) === tag && at(place, SECOND_TAG) === secondTag) return at(place, EXPIRES) >>> 0 > now ? place : -1
    }
    return -1
  }

  /** The client's own, a free one, or that of the client that would be forgotten first. */
  function placeFor({ set, tag, secondTag }: ClientKey): number {
    const first = sets + set * PLACES * WORDS
    let chosen = first
    let earliest = Infinity
    for (let place = first; place < first + PLACES * WORDS; place += WORDS) {
      if (at(place, TAG) === tag && at(place, SECOND_TAG) === secondTag) return place
      const expires = at(place, EXPIRES) >>> 0
      if (expires < earliest) [chosen, earliest] = [place, expires]
    }
    return chosen
  }

  return {
    key(servicePort, client) {
      const digest = hash('sha256', `${secret} ${servicePort} ${client}`, 'buffer')
      return { set: digest.readUInt32LE(0) & (sets - 1), tag: digest.readInt32LE(4), secondTag: digest.readInt32LE(8) }
    },
    find(key, now, keep) {
      lock(key.set)
      const place = placeOf(key, now)
      const endpoint = place === -1 ? 0 : at(place, ENDPOINT)
      if (place !== -1) cells[place + EXPIRES] = now + keep
      unlock(key.set)
      return endpoint
    },
    peek(key, now) {
      lock(key.set)
      const place = placeOf(key, now)
      const endpoint = place === -1 ? 0 : at(place, ENDPOINT)
      unlock(key.set)
      return endpoint
    },
    claim(key, endpoint, before, now, keep) {
      lock(key.set)
      const known = placeOf(key, now)
      const given = known === -1 ? 0 : at(known, ENDPOINT)
      const isOurs = given === 0 || given === before
      const place = placeFor(key)
      if (isOurs) {
        cells[place + TAG] = key.tag
        cells[place + SECOND_TAG] = key.secondTag
        cells[place + ENDPOINT] = endpoint
      }
      cells[place + EXPIRES] = now + keep
      unlock(key.set)
      return isOurs ? endpoint : given
    },
  }
}
