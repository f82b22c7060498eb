// All scenarios, in the order of their tables.
import type { Scenario } from './scenario.ts'
import { CERTIFICATES } from './scenarios/certificates.ts'
import { FILTERS } from './scenarios/filters.ts'
import { HANDSHAKES } from './scenarios/handshakes.ts'
import { HTTP1 } from './scenarios/http1.ts'
import { HTTP2 } from './scenarios/http2.ts'
import { IDLE, IDLE_TUNNELS } from './scenarios/idle.ts'
import { LOOKUP } from './scenarios/lookup.ts'
import { SLOW_CLIENTS } from './scenarios/slow-clients.ts'
import { THREADS } from './scenarios/threads.ts'
import { MESSAGES } from './scenarios/websocket.ts'

export const SCENARIOS: readonly Scenario[] = [...HTTP1, ...HTTP2, MESSAGES, ...HANDSHAKES, CERTIFICATES, FILTERS, IDLE, IDLE_TUNNELS, SLOW_CLIENTS, THREADS, LOOKUP]
