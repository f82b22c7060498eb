// node --expose-gc bench/programs/lookup.ts HOSTS PATHS: nanoseconds a lookup and bytes a route of a table of that size, as JSON.
import { NO_POLICY } from '../../src/model/policy.ts'
import { EMPTY_ROUTING, type Host, type Route } from '../../src/model/routing.ts'
import { compileTable, match, type Table } from '../../src/table/table.ts'

const LOOKUPS = 1_000_000
/** Asked for in turn; more would measure the processor's cache. */
const ASKED = 1024
/** So many routes are weighed, in as many tables as that takes. */
const WEIGHED_ROUTES = 10_000

const hosts = Number(process.argv[2])
const paths = Number(process.argv[3])
const source = { object: { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', namespace: 'bench', name: 'bench' }, field: '', createdAt: 0, service: 'web', servicePort: '80' }
const hostOf = (index: number): string => `host-${index}.example.com`
const pathOf = (index: number): string => (index === 0 ? '/' : `/area-${index % 10}/part-${index}`)

function route(path: string): Route {
  return { path, pathType: 'Prefix', backend: 'bench/web:80', status: 503, policy: NO_POLICY, source }
}

function makeTable(): Table {
  const made = new Map<string, Host>()
  for (let i = 0; i < hosts; i++) made.set(hostOf(i), { name: hostOf(i), routes: Array.from({ length: paths }, (_, path) => route(pathOf(path))) })
  const table = compileTable({ ...EMPTY_ROUTING, hosts: made })
  // Hosts are compiled when first asked for.
  for (let i = 0; i < hosts; i++) match(table, hostOf(i), '/')
  return table
}

function used(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

makeTable()
const copies = Math.ceil(WEIGHED_ROUTES / (hosts * paths))
const before = used()
const tables = Array.from({ length: copies }, makeTable)
const bytes = (used() - before) / (copies * hosts * paths)

const [table] = tables
// New strings, cut from a longer one, as a request's are.
const names = Array.from({ length: ASKED }, (_, i) => `Host: ${hostOf((i * 7919) % hosts)}`)
const targets = Array.from({ length: ASKED }, (_, i) => `GET ${pathOf((i * 31) % paths)}/page`)
let found = 0

/** Of CPU time: what else the machine does falls out of it. */
function nanoseconds(count: number): number {
  if (table === undefined) return NaN
  const start = process.cpuUsage()
  for (let i = 0; i < count; i++) {
    const name = names[i % ASKED] ?? ''
    const target = targets[i % ASKED] ?? ''
    if (match(table, name.slice(6), target.slice(4)) !== undefined) found++
  }
  const { user, system } = process.cpuUsage(start)
  return ((user + system) * 1000) / count
}

nanoseconds(LOOKUPS / 5)
const cost = nanoseconds(LOOKUPS)
if (found === 0) throw new Error('nothing was found')
process.stdout.write(JSON.stringify({ nanoseconds: cost, bytes }))
