// Load balancing and session affinity.
import { balancing, ignored, ignoredSwitch, type AnnotationSpec } from './spec.ts'

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
  ignored('affinity', 'session affinity'),
  ignored('affinity-mode', 'a mode of session affinity'),
  ignored('affinity-canary-behavior', 'session affinity of canaries'),
  ignored('session-cookie-name', 'a name of the session cookie'),
  ignored('session-cookie-path', 'a path of the session cookie'),
  ignored('session-cookie-domain', 'a domain of the session cookie'),
  ignored('session-cookie-expires', 'an expiry of the session cookie'),
  ignored('session-cookie-max-age', 'an age of the session cookie'),
  ignored('session-cookie-samesite', 'a SameSite attribute of the session cookie'),
  ignoredSwitch('session-cookie-conditional-samesite-none', 'a conditional SameSite attribute of the session cookie'),
  ignoredSwitch('session-cookie-secure', 'a Secure attribute of the session cookie'),
  ignoredSwitch('session-cookie-change-on-failure', 'a new session cookie after a failure'),
]
