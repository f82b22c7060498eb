// The data plane of one thread without supervisor and worker: what `bench/http1.ts` measures and profiles.
import { localCursors } from '../../src/balance/cursor.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { wholeRouting } from '../../src/model/delta.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { createThreadRecorder } from '../../src/observe/thread-recorder.ts'
import { createProxy } from '../../src/proxy/proxy.ts'
import type { Work } from '../peer.ts'
import { benchRouting } from './routing.ts'

const work = JSON.parse(process.argv[2] ?? '{}') as Work
const proxy = createProxy({
  settings: { ...DEFAULT_SETTINGS, limits: { ...DEFAULT_SETTINGS.limits, bodyBytes: 0, requestsPerConnection: 0 } },
  cursors: localCursors(),
  recorder: createThreadRecorder(),
  clock: systemClock,
  random: Math.random,
  log: silentLog,
})
proxy.apply(wholeRouting(benchRouting(work, {})))
await proxy.listen({ port: work.httpPort, address: '127.0.0.1', tls: false, reusePort: false })
process.on('SIGTERM', () => process.exit(0))
