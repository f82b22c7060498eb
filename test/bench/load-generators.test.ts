// What wrk and h2load print, as recorded from the versions that Debian has, becomes figures.
import { expect, test } from 'vitest'
import { parseH2load } from '../../bench/h2load.ts'
import { parseWrk } from '../../bench/wrk.ts'

const WRK = `Running 1s test @ http://127.0.0.1:18080/
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   151.98us  632.39us   8.06ms   95.73%
    Req/Sec   166.92k    18.47k  183.05k    90.00%
  Latency Distribution
     50%   33.00us
     75%   35.00us
     90%   40.00us
     99%    3.58ms
  166182 requests in 1.00s, 24.25MB read
`
const WRK_END = `Requests/sec: 166074.05
Transfer/sec:     24.23MB
`

test('wrk: requests and latencies in milliseconds', () => {
  expect(parseWrk(WRK + WRK_END)).toEqual({ requests: 166_182, requestsPerSecond: 166_074.05, p50: 0.033, p99: 3.58, refused: 0, errors: 0 })
})

test('wrk: answers that are none of success, and connections that failed', () => {
  const text = `${WRK}  Socket errors: connect 1, read 20, write 3, timeout 4\n  Non-2xx or 3xx responses: 500\n${WRK_END}`
  expect(parseWrk(text)).toMatchObject({ refused: 500, errors: 528 })
})

test('wrk: latencies of seconds and minutes', () => {
  expect(parseWrk('     50%    1.20s \n     99%    1.05m \n'.replaceAll(' \n', '\n'))).toMatchObject({ p50: 1200, p99: 63_000 })
})

const H2LOAD = `starting benchmark...
spawning thread #0: 4 total client(s). Timing-based test with 0s of warm-up time and 1s of main duration for measurements.
Warm-up started for thread #0.
progress: 100% of clients started
Main benchmark duration is started for thread #0.
Application protocol: h2
Main benchmark duration is over for thread #0. Stopping all clients.
Stopped all clients for thread #0

finished in 1.00s, 89354.00 req/s, 19.94MB/s
requests: 89374 total, 89370 started, 89354 done, 89300 succeeded, 74 failed, 20 errored, 0 timeout
status codes: 89300 2xx, 0 3xx, 54 4xx, 0 5xx
traffic: 19.94MB (20909032) total, 4.26MB (4467700) headers (space savings 49.49%), 13.04MB (13671162) data
                     min         max         mean         sd        +/- sd
time for request:       19us      7.18ms       159us       142us    99.45%
`

test('h2load: requests of the report, latencies of the log', () => {
  const log = Array.from({ length: 100 }, (_, i) => `1795230449822618\t200\t${(100 - i) * 1000}\n`).join('')
  expect(parseH2load(H2LOAD, log)).toEqual({ requests: 89_354, requestsPerSecond: 89_354, p50: 51, p99: 100, refused: 54, errors: 74 })
})

test('h2load: nothing was answered', () => {
  expect(parseH2load('', '')).toEqual({ requests: 0, requestsPerSecond: 0, p50: NaN, p99: NaN, refused: 0, errors: 0 })
})
