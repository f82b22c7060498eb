// What can go wrong with a call to the API server, and what the caller does then.
import type { Answer } from './connection.ts'
import { record, text } from './raw.ts'

/** The server answered, but not with what was asked for. */
export class ApiFailure extends Error {
  readonly status: number
  readonly reason: string
  /** Milliseconds that the server asks to wait. */
  readonly retryAfter: number

  constructor(status: number, reason: string, message: string, retryAfter = 0) {
    super(message)
    this.name = 'ApiFailure'
    this.status = status
    this.reason = reason
    this.retryAfter = retryAfter
  }
}

/** Our resourceVersion is too old (or not known any more): only a new list helps. */
export class GoneFailure extends Error {
  constructor() {
    super('the resourceVersion is too old')
    this.name = 'GoneFailure'
  }
}

const LONGEST_MESSAGE = 300

/** From a Status object, as an answer's body or an ERROR event carries it. */
export function failureOf(status: number, body: unknown, retryAfter = 0): ApiFailure | GoneFailure {
  const fields = record(body)
  const code = typeof fields['code'] === 'number' ? fields['code'] : status
  const reason = text(fields['reason'])
  if (code === 410 || reason === 'Expired' || reason === 'Gone') return new GoneFailure()
  const message = text(fields['message']) || `status ${code}`
  return new ApiFailure(code, reason, message.slice(0, LONGEST_MESSAGE), retryAfter)
}

/** The JSON body of a 2xx answer; rejects with what the server said otherwise. */
export async function readJson(answer: Answer): Promise<unknown> {
  const body = await answer.body.text()
  const ok = answer.status >= 200 && answer.status < 300
  try {
    const parsed: unknown = JSON.parse(body)
    if (ok) return parsed
    throw failureOf(answer.status, parsed, (answer.retryAfter ?? 0) * 1000)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw ok ? new ApiFailure(answer.status, 'Malformed', 'the answer is not JSON') : failureOf(answer.status, undefined, (answer.retryAfter ?? 0) * 1000)
  }
}
