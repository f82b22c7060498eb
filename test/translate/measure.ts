// What translation costs in CPU time of its thread (the clock would count what other processes take): all of a large cluster, and single changes in it. Run: node test/translate/measure.ts [INGRESSES]
import { diffRouting } from '../../src/model/delta.ts'
import { createStore } from '../../src/kube/store.ts'
import { trim, type KubeKind } from '../../src/kube/trim.ts'
import { DEFAULT_TRANSLATE_OPTIONS } from '../../src/translate/options.ts'
import { createMemo, translate } from '../../src/translate/translate.ts'
import * as cluster from './cluster.ts'

const count = Number(process.argv[2] ?? 10_000)
const NOW = Date.parse('2026-11-20T12:00:00Z')
const store = createStore()

const put = (kind: KubeKind, raw: unknown): void => {
  const object = trim(kind, raw)
  if (object !== undefined) store.apply({ type: 'set', object })
}

function measured<T>(work: () => T): { readonly ms: number; readonly result: T } {
  const begun = process.threadCpuUsage()
  const result = work()
  const { user, system } = process.threadCpuUsage(begun)
  return { ms: (user + system) / 1000, result }
}

function report(what: string, ms: readonly number[]): void {
  const sorted = ms.toSorted((a, b) => a - b)
  process.stdout.write(`${what.padEnd(52)} ${(sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(2)} ms (worst ${(sorted.at(-1) ?? 0).toFixed(2)}, of ${ms.length})\n`)
}

const filled = measured(() => cluster.fill(store, count, ['/', '/api']))
report(`trim and store ${count} Ingresses, Services, slices`, [filled.ms])
const memo = createMemo()
const run = () => translate(store.state(), DEFAULT_TRANSLATE_OPTIONS, memo, NOW)
store.state()

report(`translate all: ${count} Ingresses, ${count * 2} paths`, [
  ...Array.from({ length: 5 }, () => measured(() => translate(store.state(), DEFAULT_TRANSLATE_OPTIONS, createMemo(), NOW)).ms),
  measured(run).ms,
])

function changes(what: string, change: (round: number) => void): void {
  const whole: number[] = []
  const snapshots: number[] = []
  const deltas: number[] = []
  for (let round = 0; round < 30; round++) {
    const before = run().config
    change(round)
    snapshots.push(measured(() => store.state()).ms)
    const after = measured(run)
    whole.push(after.ms)
    deltas.push(measured(() => diffRouting(before, after.result.config)).ms)
  }
  report(`translate after ${what}`, whole)
  report('  snapshot of the store', snapshots)
  report('  delta of the two configurations', deltas)
}

changes('one EndpointSlice changed', (round) => put('EndpointSlice', cluster.slice(round, [`10.200.0.${round}`])))
changes('one Ingress changed', (round) => put('Ingress', cluster.ingress(round, { '/': `web-${round}`, [`/new-${round}`]: `web-${round}` })))
changes('one Service changed', (round) => put('Service', { ...cluster.service(round), spec: { ports: [{ port: 80, targetPort: 9000 + round }] } }))
changes('nothing changed', () => undefined)
