// Reads every import of src/ and holds it against the table of docs/architecture.md: data flows one way.
import { readFileSync, globSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { builtinModules } from 'node:module'
import { describe, expect, it } from 'vitest'

const ANY = ['*']

/** Folder of src/ to the folders and npm packages it may import (its own folder and node: always). */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  model: ['base'],
  config: ['base', 'model'],
  dns: ['base', 'model'],
  ocsp: ['base', 'model', '@peculiar/asn1-ocsp', '@peculiar/asn1-schema', '@peculiar/asn1-x509'],
  balance: ['base', 'model'],
  http: ['base', 'model', 'node-forge'],
  table: ['base', 'model'],
  kube: ['base', 'model', '@kubernetes/client-node', 'undici'],
  // Of kube only the object types and the state that they make up.
  translate: ['base', 'model', 'kube/objects.ts', 'kube/cluster-state.ts', 're2js'],
  upstream: ['base', 'model', 'balance', 'http'],
  proxy: ['base', 'model', 'balance', 'table', 'http', 'upstream', 'observe/recorder.ts', 're2js'],
  stream: ['base', 'model', 'balance', 'http', 'observe/stream-counters.ts'],
  observe: ['base', 'model', 'prom-client', 'pino'],
  runtime: ['base', 'model', 'balance', 'table', 'http', 'upstream', 'proxy', 'stream', 'kube', 'translate', 'status', 'observe'],
  status: ['base', 'model', 'kube'],
  admin: ['base', 'model', 'table', 'observe', 'fastify'],
  sandbox: ['base', 'model', 'balance', 'http', 'stream', 'observe/stream-counters.ts', 'fastify', 'dns-packet', '@fastify/http-proxy', 'js-yaml', 'protobufjs', 'ws'],
  cli: ANY,
  'main.ts': ANY,
}

/** Of the files that run in data-plane threads, none may load these (0.5 s and 85 MB, or an HTTP framework). */
const NOT_IN_DATA_PLANE = ['@kubernetes/client-node', 'fastify', 'undici', 'js-yaml', 'pino', '@peculiar/asn1-ocsp']
const DATA_PLANE_ROOT = 'runtime/worker.ts'

interface Import {
  readonly file: string
  readonly target: string
  readonly typeOnly: boolean
}

const SOURCES = globSync('src/**/*.ts').map((path) => path.replaceAll('\\', '/').slice('src/'.length))
const IMPORTS = SOURCES.flatMap(importsOf)

function importsOf(file: string): Import[] {
  const text = readFileSync(join('src', file), 'utf8')
  const found: Import[] = []
  const pattern = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'"();]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g
  for (const match of text.matchAll(pattern)) {
    const target = match[2] ?? match[3] ?? ''
    const resolved = target.startsWith('.') ? normalize(join(dirname(file), target)).replaceAll('\\', '/') : target
    found.push({ file, target: resolved, typeOnly: match[1] !== undefined })
  }
  return found
}

const roomOf = (path: string): string => path.split('/')[0] ?? ''
const isBuiltin = (target: string): boolean => target.startsWith('node:') || builtinModules.includes(target)
const packageOf = (target: string): string => target.split('/').slice(0, target.startsWith('@') ? 2 : 1).join('/')

function allowed({ file, target }: Import): boolean {
  const room = roomOf(file)
  const list = MAY_IMPORT[room] ?? []
  if (list.includes('*') || isBuiltin(target)) return true
  if (SOURCES.includes(target) || target.endsWith('.json')) return roomOf(target) === room || list.includes(roomOf(target)) || list.includes(target)
  return list.includes(packageOf(target))
}

describe('import table', () => {
  it('knows every folder of src', () => {
    expect([...new Set(SOURCES.map(roomOf))].filter((room) => !(room in MAY_IMPORT))).toEqual([])
  })

  it('is kept by every import', () => {
    expect(IMPORTS.filter((each) => !allowed(each)).map(({ file, target }) => `${file} imports ${target}`)).toEqual([])
  })

  it('keeps heavy packages out of the data-plane threads', () => {
    const reached = new Set<string>()
    const visit = (file: string): void => {
      if (reached.has(file)) return
      reached.add(file)
      for (const each of IMPORTS) if (each.file === file && !each.typeOnly && SOURCES.includes(each.target)) visit(each.target)
    }
    visit(DATA_PLANE_ROOT)
    const heavy = IMPORTS.filter((each) => reached.has(each.file) && !each.typeOnly && NOT_IN_DATA_PLANE.includes(packageOf(each.target)))
    expect(heavy.map(({ file, target }) => `${file} imports ${target}`)).toEqual([])
  })
})
