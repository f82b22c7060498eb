// A proxy of one thread in a process of its own, so that its memory can be measured alone: `fork` it with the port of
// host `a`'s origin, it sends the port that it listens on.
import { startProxy, toUpstream } from './test-proxy.ts'

const { port } = await startProxy(toUpstream(Number(process.argv[2])), { limits: { bodyBytes: 0 } })
process.send?.(port)
process.once('disconnect', () => process.exit(0))
