// docs/observing.md names every metric, every field of the access log and every failure, and no others.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { FAILURES } from '../../src/base/failure.ts'
import { accessLine } from '../../src/observe/access-log.ts'
import { renderMetrics } from '../../src/observe/metrics.ts'
import { prefix } from '../table/routes.ts'
import { fullView } from './full-view.ts'
import { requestRecord } from './request-record.ts'

const [, metrics = '', accessLog = '', failures = ''] = readFileSync('docs/observing.md', 'utf8').split(/^## /m)

function firstColumn(section: string): string[] {
  const rows = section.split('\n').filter((line) => line.startsWith('| `'))
  return rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''))
}

test('every metric is in the table, with its type', () => {
  const text = renderMetrics(fullView())
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map((match) => [match[1], match[2]]))
  expect(firstColumn(metrics).sort()).toEqual([...types.keys()].sort())
  for (const [name, type] of types) expect(metrics).toMatch(new RegExp(`\\| [^|]*\`${name}\`[^|]*\\| ${type} \\|`))
})

test('every field of the access log is in the table', () => {
  const line = accessLine(requestRecord({ route: prefix('/', 'web').source, failure: 'response-cut' }))
  expect(firstColumn(accessLog).sort()).toEqual(Object.keys(JSON.parse(line)).sort())
})

test('every failure is in the table, with its status and whom to blame', () => {
  const rows = failures.split('\n').filter((line) => line.startsWith('| `')).flatMap((line) => {
    const [, names = '', status = '', source = ''] = line.split('|')
    return [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => `${name} ${status.trim()} ${source.trim()}`)
  })
  expect(rows.sort()).toEqual(Object.entries(FAILURES).map(([kind, { status, source }]) => `${kind} ${status} ${source}`).sort())
})
