// Objects in, route lines and diagnostics out: one file of cases/ a case, named as the sentence it shows.
// A file holds YAML documents: optionally `options:` and `names:` (what DNS says), then objects, last `expect:`. UPDATE=1 rewrites what is expected.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dump, loadAll } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { stateFromObjects } from '../../src/kube/store.ts'
import type { ResolvedName, ResolvedNames } from '../../src/model/resolved-name.ts'
import { DEFAULT_TRANSLATE_OPTIONS, type TranslateOptions } from '../../src/translate/options.ts'
import { formatDiagnostic, formatRouting } from '../../src/translate/route-lines.ts'
import { createMemo, translate } from '../../src/translate/translate.ts'
import { materialise, NOW } from './key-material.ts'

const FOLDER = new URL('cases/', import.meta.url)

type Fields = Record<string, unknown>

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

interface Case {
  readonly options: TranslateOptions
  /** What DNS says. */
  readonly names: ResolvedNames
  readonly objects: readonly unknown[]
  readonly expected: unknown
}

function readCase(text: string): Case {
  const documents = loadAll(text)
  const expected = documents.find((document) => isFields(document) && 'expect' in document)
  const options = documents.find((document) => isFields(document) && 'options' in document)
  const names = documents.find((document) => isFields(document) && 'names' in document)
  return {
    names: new Map(isFields(names) && isFields(names['names']) ? Object.entries(names['names']).map(([name, said]) => [name, { addresses: [], trouble: undefined, ...(said as Partial<ResolvedName>) }]) : []),
    options: { ...DEFAULT_TRANSLATE_OPTIONS, ...(isFields(options) ? (options['options'] as Partial<TranslateOptions>) : {}) },
    objects: documents.filter((document) => isFields(document) && 'kind' in document).map(withKeyMaterial),
    expected: isFields(expected) ? expected['expect'] : undefined,
  }
}

function withKeyMaterial(document: unknown): unknown {
  if (!isFields(document) || !isFields(document['stringData'])) return document
  return { ...document, stringData: Object.fromEntries(Object.entries(document['stringData']).map(([key, value]) => [key, materialise(value)])) }
}

function run({ options, names, objects }: Case): unknown {
  const { config, diagnostics } = translate(stateFromObjects(objects), options, createMemo(), NOW, names)
  return { routes: formatRouting(config), diagnostics: diagnostics.map(formatDiagnostic) }
}

function rewrite(file: URL, text: string, actual: unknown): void {
  const cut = text.search(/^expect:/m)
  const kept = cut < 0 ? `${text.trimEnd()}\n---\n` : text.slice(0, cut)
  writeFileSync(file, `${kept}${dump({ expect: actual }, { lineWidth: -1 })}`)
}

describe('cases', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml')).sort()
  test.each(files)('%s', (name) => {
    const file = new URL(name, FOLDER)
    const text = readFileSync(file, 'utf8')
    const read = readCase(text)
    const actual = run(read)
    if (process.env['UPDATE'] === '1') rewrite(file, text, actual)
    else expect(actual).toEqual(read.expected)
  })

  test('are at least sixty', () => {
    expect(files.length).toBeGreaterThanOrEqual(60)
  })
})
