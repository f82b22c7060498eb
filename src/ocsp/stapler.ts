// OCSP responses for the certificates that name a responder: fetched, checked, renewed long before they end, with growing pauses where
// that fails. Runs in the main thread; the data plane gets responses with the certificates.
import { createBackoff, type Backoff } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Certificate } from '../model/routing.ts'
import type { StapleState, Staples, StapleTrouble } from '../model/staple.ts'

export interface StaplerOptions {
  /** POSTs a request to a URL; rejects with an error whose message is a clause for users. */
  readonly fetch: (url: string, request: Buffer) => Promise<Buffer>
  readonly clock: Clock
  /** Like Math.random. */
  readonly random: () => number
  readonly log: Log
  /** Called when `staples()` has changed: at once, but with pauses between. */
  readonly onChange: () => void
}

export interface Stapler {
  /** The certificates in use from now on; what is known of others is forgotten. */
  want(certificates: ReadonlyMap<string, Certificate>): void
  /** The same map while nothing in it has changed. */
  staples(): Staples
  /** Resolves when each certificate that must be stapled has been asked for once. */
  settled(): Promise<void>
  close(): void
}

const MOST_AT_ONCE = 4
const PAUSE_BETWEEN_NEWS = 1000
const FIRST_PAUSE = 10_000
const LONGEST_PAUSE = 3_600_000
const SHORTEST_REFRESH = 60_000
/** A revocation becomes known after so long at the latest. */
const LONGEST_REFRESH = 12 * 3_600_000
/** Of the time until a response ends. */
const REFRESH_AFTER = 0.5

interface Entry {
  readonly certificate: Certificate
  readonly backoff: Backoff
  state: StapleState | undefined
  /** It has been asked for once. */
  isTried: boolean
  cancelRefresh: (() => void) | undefined
  cancelEnd: (() => void) | undefined
}

export function createStapler({ fetch, clock, random, log, onChange }: StaplerOptions): Stapler {
  /** By fingerprint. */
  const entries = new Map<string, Entry>()
  const waiting: Entry[] = []
  const onSettled: (() => void)[] = []
  let wanted: ReadonlyMap<string, Certificate> | undefined
  let snapshot: Staples | undefined
  let asking = 0
  let toldAt = -Infinity
  let cancelTelling: (() => void) | undefined

  function ask(entry: Entry): void {
    entry.cancelRefresh = undefined
    waiting.push(entry)
    askNext()
  }

  function askNext(): void {
    while (asking < MOST_AT_ONCE) {
      const entry = waiting.shift()
      if (entry === undefined) return
      if (entries.get(entry.certificate.fingerprint) !== entry) continue
      asking++
      void answerOf(entry.certificate).then((answer) => {
        asking--
        if (entries.get(entry.certificate.fingerprint) === entry) take(entry, answer)
        askNext()
      })
    }
  }

  async function answerOf({ certificate, responder = '' }: Certificate): Promise<StapleState> {
    try {
      const { judge, questionOf } = await import('./messages.ts')
      const question = questionOf(certificate)
      if (question === undefined) return failed('the certificate of its issuer is not in tls.crt')
      const response = await fetch(responder, question.request)
      const verdict = judge(response, question, clock.now())
      if (verdict.kind === 'revoked') return { staple: undefined, trouble: verdict }
      if (verdict.kind === 'wrong') return failed(`the answer of ${responder} can’t be used: ${verdict.reason}`)
      return { staple: { response, until: verdict.until }, trouble: undefined }
    } catch (error) {
      return failed(error instanceof Error ? `${error.message} (${responder})` : 'unknown')
    }
  }

  function take(entry: Entry, answer: StapleState): void {
    entry.isTried = true
    const { staple, trouble } = answer
    if (staple !== undefined) {
      entry.backoff.reset()
      update(entry, answer)
      awaitEnd(entry, staple.until)
    } else {
      // One from before is good until it ends, unless the certificate is known to be revoked.
      update(entry, { staple: trouble?.kind === 'revoked' ? undefined : entry.state?.staple, trouble })
    }
    const wait = staple === undefined ? entry.backoff.next() : (staple.until - clock.now()) * REFRESH_AFTER * (0.9 + random() * 0.1)
    entry.cancelRefresh = clock.after(staple === undefined ? wait : Math.min(Math.max(wait, SHORTEST_REFRESH), LONGEST_REFRESH), () => ask(entry))
    if (isSettled()) for (const call of onSettled.splice(0)) call()
  }

  /** In steps: timers can't be set for weeks. */
  function awaitEnd(entry: Entry, time: number): void {
    entry.cancelEnd?.()
    entry.cancelEnd = clock.after(Math.min(Math.max(time - clock.now(), 0), LONGEST_REFRESH), () => {
      if (clock.now() < time) awaitEnd(entry, time)
      else update(entry, { staple: undefined, trouble: entry.state?.trouble ?? { kind: 'failed', reason: 'the last response has ended' } })
    })
  }

  function update(entry: Entry, state: StapleState): void {
    const before = entry.state
    entry.state = state
    if (before?.staple === state.staple && sameTrouble(before?.trouble, state.trouble) && before !== undefined) return
    if (state.trouble !== undefined && !sameTrouble(before?.trouble, state.trouble)) {
      const { kind } = state.trouble
      log('warn', kind === 'revoked' ? 'certificate is revoked' : 'no new OCSP response for a certificate', { certificate: entry.certificate.id, ...(state.trouble.kind === 'failed' && { reason: state.trouble.reason }) })
    }
    snapshot = undefined
    tellSoon()
  }

  /** Thousands of responses in a row must not mean thousands of translations. */
  function tellSoon(): void {
    if (cancelTelling !== undefined) return
    const wait = toldAt + PAUSE_BETWEEN_NEWS - clock.now()
    if (wait <= 0) tell()
    else cancelTelling = clock.after(wait, tell)
  }

  function tell(): void {
    cancelTelling = undefined
    toldAt = clock.now()
    onChange()
  }

  function forget(entry: Entry): void {
    entry.cancelRefresh?.()
    entry.cancelEnd?.()
    entries.delete(entry.certificate.fingerprint)
  }

  function isSettled(): boolean {
    for (const { isTried, certificate } of entries.values()) if (!isTried && certificate.mustStaple === true) return false
    return true
  }

  return {
    want(certificates) {
      if (wanted === certificates) return
      wanted = certificates
      const named = new Map<string, Certificate>()
      for (const certificate of certificates.values()) if (certificate.responder !== undefined) named.set(certificate.fingerprint, certificate)
      for (const [fingerprint, entry] of entries) {
        if (named.has(fingerprint)) continue
        forget(entry)
        snapshot = undefined
      }
      for (const [fingerprint, certificate] of named) {
        if (entries.has(fingerprint)) continue
        const entry: Entry = { certificate, backoff: createBackoff(FIRST_PAUSE, LONGEST_PAUSE, random), state: undefined, isTried: false, cancelRefresh: undefined, cancelEnd: undefined }
        entries.set(fingerprint, entry)
        if (certificate.mustStaple === true) waiting.unshift(entry)
        else waiting.push(entry)
      }
      askNext()
    },
    staples() {
      snapshot ??= new Map([...entries].flatMap(([fingerprint, { state }]) => (state === undefined ? [] : [[fingerprint, state] as const])))
      return snapshot
    },
    settled: () => (isSettled() ? Promise.resolve() : new Promise((resolve) => onSettled.push(resolve))),
    close() {
      cancelTelling?.()
      for (const entry of entries.values()) forget(entry)
      waiting.length = 0
    },
  }
}

function failed(reason: string): StapleState {
  return { staple: undefined, trouble: { kind: 'failed', reason } }
}

function sameTrouble(a: StapleTrouble | undefined, b: StapleTrouble | undefined): boolean {
  return a === b || (a?.kind === 'failed' && b?.kind === 'failed' && a.reason === b.reason) || (a?.kind === 'revoked' && b?.kind === 'revoked')
}
