import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { annotationDocs } from '../../src/translate/annotations/docs.ts'
import { ANNOTATIONS } from '../../src/translate/annotations/table.ts'

it('docs/annotations.md is what the table of annotations says (npm run docs)', () => {
  expect(readFileSync('docs/annotations.md', 'utf8')).toBe(annotationDocs())
})

it('every annotation has its row, and every row says what happens', () => {
  const rows = [...annotationDocs().matchAll(/^\| `([^`]+)` \| (?:honoured: \[.+\]\(.+\)|not honoured \(.+\): .+) \|$/gm)].map(([, name]) => name)
  expect(rows).toEqual([...ANNOTATIONS.keys()])
})
