// Where the sandbox is known to answer otherwise than the recorded cluster, and why. Each entry must still be needed.
import type { Difference } from './recording-normal-form.ts'

export interface Exception {
  readonly command: string
  /** Differences at these places, and below them. */
  readonly where: readonly string[]
  readonly reason: string
}

export const exceptions: readonly Exception[] = [
  { command: '004-version', where: ['stdout', 'exchange 1 body'], reason: 'The sandbox says that it is the sandbox (build metadata +narthex) and was not compiled from Go.' },
  { command: '004-version', where: ['stderr'], reason: 'The skew warning is the client\'s; it is missing from the recording.' },
  { command: '058-rollout-status', where: ['stderr'], reason: 'kubectl\'s own closing line (exit code 1 is the same); it is missing from the recording.' },
  { command: '067-auth-can-i', where: ['exchange 2 body.metadata.managedFields'], reason: 'An access review is answered and never stored: nobody manages its fields.' },
  { command: '073-raw-unknown-path', where: ['exit', 'stderr', 'exchange 1'], reason: 'extensions/v1beta1 is served on purpose: many tutorials still print it.' },
  { command: '074-bad-extensions-v1beta1', where: ['stderr', 'requests'], reason: 'extensions/v1beta1 is served on purpose; the Ingress without rules is refused by validation instead.' },
]

export function covers(exception: Exception, { command, where }: Difference): boolean {
  return exception.command === command && exception.where.some((place) => where === place || where.startsWith(`${place}.`) || where.startsWith(`${place} `))
}
