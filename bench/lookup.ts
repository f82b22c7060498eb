// node bench/lookup.ts: what a routing lookup costs as the table grows, and what a route costs in memory. `node --expose-gc` for exact memory.
import { NO_POLICY } from '../src/model/policy.ts'
import { EMPTY_ROUTING, type Host, type Route } from '../src/model/routing.ts'
import { compileTable, match, type Table } from '../src/table/table.ts'

const source = { object: { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', namespace: 'bench', name: 'bench' }, field: '', createdAt: 0, service: 'web', servicePort: '80' }
const LOOKUPS = 2_000_000
/** Asked for in turn; more would measure the processor's cache. */
const ASKED = 1024

function route(path: string): Route {
  return { path, pathType: 'Prefix', backend: 'bench/web:80', status: 503, policy: NO_POLICY, source }
}

const hostOf = (index: number): string => `host-${index}.example.com`
const pathOf = (index: number): string => (index === 0 ? '/' : `/area-${index % 10}/part-${index}`)

function tableOf(hosts: number, paths: number): Table {
  const made = new Map<string, Host>()
  for (let i = 0; i < hosts; i++) made.set(hostOf(i), { name: hostOf(i), routes: Array.from({ length: paths }, (_, path) => route(pathOf(path))) })
  return compileTable({ ...EMPTY_ROUTING, hosts: made })
}

function used(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

/** A function of its own, so that nothing of one table is left when the next is weighed. */
function measure(hosts: number, paths: number): void {
  const before = used()
  const table = tableOf(hosts, paths)
  // Hosts are compiled when first asked for.
  for (let i = 0; i < hosts; i++) match(table, hostOf(i), '/')
  const bytes = (used() - before) / (hosts * paths)
  // New strings, cut from a longer one, as a request's are.
  const names = Array.from({ length: ASKED }, (_, i) => `Host: ${hostOf((i * 7919) % hosts)}`)
  const targets = Array.from({ length: ASKED }, (_, i) => `GET ${pathOf((i * 31) % paths)}/page`)
  let found = 0
  const run = (count: number): number => {
    const start = performance.now()
    for (let i = 0; i < count; i++) {
      const name = names[i % ASKED] ?? ''
      const target = targets[i % ASKED] ?? ''
      if (match(table, name.slice(6), target.slice(4)) !== undefined) found++
    }
    return ((performance.now() - start) * 1_000_000) / count
  }
  run(LOOKUPS / 10)
  const cost = run(LOOKUPS)
  process.stdout.write(`${String(hosts).padStart(7)} hosts × ${String(paths).padStart(4)} paths  ${cost.toFixed(0).padStart(4)} ns a lookup  ${hosts * paths < 1000 ? '' : `${bytes.toFixed(0).padStart(5)} bytes a route`}${found === 0 ? '  (nothing found)' : ''}\n`)
}

for (const [hosts, paths] of [[1, 1], [1000, 1], [100_000, 1], [1, 1000], [1000, 10]] as const) measure(hosts, paths)
