// Load balancing and session affinity.
import { affinity, balancing, ignored, type AnnotationSpec } from './spec.ts'

export const BALANCING: readonly AnnotationSpec[] = [
  // Ours alone, and read on Services too.
  balancing('scheduler'),
  balancing('scheduler-flags'),
  balancing('hash-key'),
  balancing('weights'),
  balancing('health-check'),
  balancing('health-check-interval'),
  balancing('health-check-timeout'),
  balancing('health-check-healthy-threshold'),
  balancing('health-check-unhealthy-threshold'),
  balancing('load-balance'),
  balancing('upstream-hash-by'),
  balancing('upstream-hash-by-subset'),
  balancing('upstream-hash-by-subset-size'),
  affinity('affinity'),
  affinity('affinity-mode'),
  affinity('session-cookie-name'),
  affinity('session-cookie-path'),
  affinity('session-cookie-domain'),
  affinity('session-cookie-expires'),
  affinity('session-cookie-max-age'),
  affinity('session-cookie-samesite'),
  affinity('session-cookie-conditional-samesite-none'),
  affinity('session-cookie-secure'),
  affinity('session-cookie-change-on-failure'),
  ignored('affinity-canary-behavior', 'session affinity of canaries', ['sticky']),
]
