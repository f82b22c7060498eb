// One request as the proxy would report it, for the tests of what counts and logs it.
import { emptyRecord, type RequestRecord } from '../../src/observe/recorder.ts'

export function requestRecord(facts: Partial<RequestRecord> = {}): RequestRecord {
  return {
    ...emptyRecord(),
    method: 'GET',
    host: 'a.example',
    path: '/x',
    protocol: '1.1',
    clientAddress: '192.0.2.7',
    requestId: 'abc',
    backend: 'dev/web:80',
    endpoint: '10.0.0.1:8080',
    status: 200,
    tries: 1,
    startedAt: Date.UTC(2030, 0, 2, 3, 4, 5, 678),
    duration: 1.5,
    responseStart: 1,
    bytesIn: 10,
    bytesOut: 100,
    ...facts,
  }
}
