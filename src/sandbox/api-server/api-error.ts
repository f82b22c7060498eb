// An answer of the API server that is not a success: carries the Status object that kubectl prints.

export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: { readonly continue?: string }
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: string
  readonly details?: StatusDetails
  readonly code?: number
}

export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly StatusCause[]
  readonly retryAfterSeconds?: number
}

/** A Cause of a kind's validation is one; others carry reasons of their own (`FieldManagerConflict`). */
export interface StatusCause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

export class ApiError extends Error {
  readonly status: Status
  readonly code: number

  constructor(code: number, reason: string, message: string, details?: StatusDetails, metadata: Status['metadata'] = {}) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.status = { kind: 'Status', apiVersion: 'v1', metadata, status: 'Failure', message, reason, ...(details && { details }), code }
  }
}
