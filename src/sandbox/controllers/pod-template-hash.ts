// Names and labels the ReplicaSet of one pod template. The value need not be the one that a real cluster computes
// (it hashes Go's memory layout); it must only be the same for the same template.
import { createHash } from 'node:crypto'
import type { PodTemplate } from './object-shapes.ts'

export const HASH_LABEL = 'pod-template-hash'
/** Kubernetes' alphabet for generated names: no vowels, so no words. */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789'

/** Ten characters; `collisions` gives another one for the same template. */
export function podTemplateHash(template: PodTemplate, collisions: number): string {
  const digest = createHash('sha256').update(canonical(template)).update(String(collisions)).digest()
  return [...digest.subarray(0, 10)].map((byte) => SAFE[byte % SAFE.length]).join('')
}

/** Whether two templates differ in nothing but the hash label. */
export function isSameTemplate(a: PodTemplate, b: PodTemplate): boolean {
  return canonical(withoutHash(a)) === canonical(withoutHash(b))
}

export function withHash(template: PodTemplate, hash: string): PodTemplate {
  return { ...template, metadata: { ...template.metadata, labels: { ...template.metadata?.labels, [HASH_LABEL]: hash } } }
}

function withoutHash(template: PodTemplate): PodTemplate {
  const { [HASH_LABEL]: _, ...labels } = template.metadata?.labels ?? {}
  return { ...template, metadata: { ...template.metadata, labels } }
}

/** JSON with sorted fields, without the fields that say nothing (null, empty object of metadata). */
function canonical(value: unknown): string {
  return JSON.stringify(value, (name, field: unknown) => {
    if (field === null || name === 'creationTimestamp') return undefined
    if (typeof field !== 'object' || Array.isArray(field)) return field
    return Object.fromEntries(Object.entries(field).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}
