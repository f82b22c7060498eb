// What a user should know about one of their objects: the only way translation reports a mistake.
import type { ObjectRef } from './object-ref.ts'

/** Closed list; each is documented in docs/diagnostics.md and is the Event's reason. */
export type DiagnosticReason =
  | 'ServiceNotFound'
  | 'ServicePortNotFound'
  | 'NoReadyEndpoints'
  | 'NoLocalEndpoints'
  | 'ResourceBackendUnsupported'
  | 'ExternalNameInvalid'
  | 'ExternalNameUnresolved'
  | 'SecretNotFound'
  | 'CertificateInvalid'
  | 'CertificateExpired'
  | 'CertificateNotYetValid'
  | 'CertificateHostMismatch'
  | 'CertificateRevoked'
  | 'CertificateUnstapled'
  | 'PathConflict'
  | 'PassthroughConflict'
  | 'HostInvalid'
  | 'PathInvalid'
  | 'ClassNotFound'
  | 'AnnotationInvalid'
  | 'AnnotationUnsupported'
  | 'ConfigMapNotFound'
  | 'SettingInvalid'
  | 'SettingOverruled'
  | 'SettingUnknown'
  | 'SettingUnsupported'
  | 'StreamInvalid'
  | 'StreamPortUnavailable'

export interface Diagnostic {
  /** error: something asked for does not happen. warning: it happens, but not as the user may think. */
  readonly severity: 'error' | 'warning'
  readonly reason: DiagnosticReason
  readonly object: ObjectRef
  /** Field path as the API server prints it: `spec.rules[0].http.paths[1].backend.service.port`. */
  readonly field: string
  /** One sentence: what is wrong, with the value, and what happens instead. */
  readonly message: string
  /** One sentence: what to change. */
  readonly fix: string
}
