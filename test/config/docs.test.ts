import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { configMapDocs } from '../../src/config/config-map-docs.ts'
import { optionDocs } from '../../src/config/help.ts'

it('docs/options.md is what the option table says (npm run docs)', () => {
  expect(readFileSync('docs/options.md', 'utf8')).toBe(optionDocs())
})

it('docs/configmap.md is what the table of keys says (npm run docs)', () => {
  expect(readFileSync('docs/configmap.md', 'utf8')).toBe(configMapDocs())
})

it('the limits in docs/security.md are those of the option table', () => {
  const defaults = new Map([...optionDocs().matchAll(/^\| `(--[\w-]+)[^|]*\| [^|]* \| ([^|]*) \|/gm)].map(([, flag, value]) => [flag, value]))
  const rows = [...readFileSync('docs/security.md', 'utf8').matchAll(/^\| [^|]+ \| (`--[^|]+) \| ([^|]+) \|/gm)]
  expect(rows.length).toBeGreaterThan(15)
  for (const [, flags = '', value = ''] of rows) {
    for (const [, flag] of flags.matchAll(/`(--[\w-]+)`/g)) expect([flag, defaults.get(flag ?? '')]).toEqual([flag, value.split(',')[0]])
  }
})
