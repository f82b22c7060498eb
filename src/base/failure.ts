// Why a request could not be answered by its backend. One table maps a kind to a status; no status number is chosen elsewhere.

/** Whom to blame: the client, the backend, or this process. */
export type FailureSource = 'client' | 'upstream' | 'internal'

export type FailureKind =
  | 'bad-request'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'misdirected'
  | 'body-too-large'
  | 'target-too-long'
  | 'head-too-large'
  | 'expectation-failed'
  | 'no-route'
  | 'no-backend'
  | 'no-endpoints'
  | 'queue-full'
  | 'queue-timeout'
  | 'connect-failed'
  | 'connect-timeout'
  | 'handshake-failed'
  | 'certificate-refused'
  | 'request-refused'
  | 'response-invalid'
  | 'response-cut'
  | 'response-timeout'
  | 'client-gone'
  | 'internal'

interface FailureFacts {
  readonly status: number
  readonly source: FailureSource
  /** Whether the same request may be sent to another endpoint: nothing of it was processed. */
  readonly retry: boolean
}

export const FAILURES: Readonly<Record<FailureKind, FailureFacts>> = {
  'bad-request': { status: 400, source: 'client', retry: false },
  'method-not-allowed': { status: 405, source: 'client', retry: false },
  'request-timeout': { status: 408, source: 'client', retry: false },
  'misdirected': { status: 421, source: 'client', retry: false },
  'body-too-large': { status: 413, source: 'client', retry: false },
  'target-too-long': { status: 414, source: 'client', retry: false },
  'head-too-large': { status: 431, source: 'client', retry: false },
  'expectation-failed': { status: 417, source: 'client', retry: false },
  'no-route': { status: 404, source: 'client', retry: false },
  'no-backend': { status: 503, source: 'upstream', retry: false },
  'no-endpoints': { status: 503, source: 'upstream', retry: false },
  'queue-full': { status: 503, source: 'upstream', retry: false },
  'queue-timeout': { status: 503, source: 'upstream', retry: false },
  'connect-failed': { status: 502, source: 'upstream', retry: true },
  'connect-timeout': { status: 504, source: 'upstream', retry: true },
  'handshake-failed': { status: 502, source: 'upstream', retry: true },
  'certificate-refused': { status: 502, source: 'upstream', retry: true },
  'request-refused': { status: 502, source: 'upstream', retry: true },
  'response-invalid': { status: 502, source: 'upstream', retry: false },
  'response-cut': { status: 502, source: 'upstream', retry: false },
  'response-timeout': { status: 504, source: 'upstream', retry: false },
  'client-gone': { status: 499, source: 'client', retry: false },
  'internal': { status: 500, source: 'internal', retry: false },
}
