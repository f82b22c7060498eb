// One request as the proxy would report it, for the tests of what counts and logs it.
import type { RequestFacts } from '../../src/observe/recorder.ts'

export function requestFacts(facts: Partial<RequestFacts> = {}): RequestFacts {
  return {
    route: undefined,
    status: 200,
    failure: undefined,
    startedAt: Date.UTC(2030, 0, 2, 3, 4, 5, 678),
    durationMs: 1.5,
    retries: 0,
    endpoint: '10.0.0.1:8080',
    method: 'GET',
    host: 'a.example',
    target: '/x?y=1',
    clientAddress: '192.0.2.7',
    requestId: 'abc',
    tls: false,
    bytesIn: 10,
    bytesOut: 100,
    ...facts,
  }
}
