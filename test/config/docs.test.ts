import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { optionDocs } from '../../src/config/help.ts'

it('docs/options.md is what the option table says (npm run docs)', () => {
  expect(readFileSync('docs/options.md', 'utf8')).toBe(optionDocs())
})
