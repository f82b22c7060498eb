// Files into the cluster: what is applied, what is told, what is taken out again.
import { mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decodeProtobuf } from '../../../src/sandbox/api-server/protobuf/decode.ts'
import { decodeObject } from '../../../src/sandbox/api-server/schemas/decode.ts'
import { createManifestApplier, type ManifestApplier } from '../../../src/sandbox/apply/manifest-applier.ts'
import { watchManifests } from '../../../src/sandbox/apply/manifest-watch.ts'
import { settled, startCluster, type Cluster } from '../support/cluster.ts'
import { fakeClock } from '../../support/fake-clock.ts'

let folder: string
let cluster: Cluster
let applier: ManifestApplier
let lines: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'narthex-apply-'))
  cluster = startCluster()
  lines = []
  applier = createManifestApplier({ registry: cluster.registry, decoders: { decodeObject, decodeProtobuf }, log: (line) => lines.push(line.replace(`${folder}/`, '')) })
})
afterEach(async () => {
  await cluster.close()
  rmSync(folder, { recursive: true })
})

const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const sync = (): readonly string[] => {
  lines.length = 0
  applier.sync([folder])
  return [...lines]
}
const get = (resource: string, name: string, namespace = 'dev') => cluster.registry.get(resource, namespace, name)

const NAMESPACE = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: dev}\n'
const configMap = (name: string, data: string, namespace = 'dev'): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: ${namespace}}\ndata: ${data}\n`

describe('applied files', () => {
  it('come in by name, namespaces first, subdirectories not', () => {
    write('a.yaml', configMap('first', '{a: b}'))
    write('z.yml', `${NAMESPACE}---\n# nothing here\n---\n${configMap('second', '{a: b}')}`)
    write('list.json', JSON.stringify({ kind: 'List', apiVersion: 'v1', items: [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'dev' } }] }))
    write('notes.txt', 'not YAML: [')
    mkdirSync(join(folder, 'sub'))
    write('sub/b.yaml', configMap('third', '{}'))
    expect(sync()).toEqual(['a.yaml: 1 created', 'list.json: 1 created', 'z.yml: 2 created'])
    expect([get('configmaps', 'first'), get('configmaps', 'second'), get('secrets', 's')].every(Boolean)).toBe(true)
    expect(get('configmaps', 'third')).toBeUndefined()
  })

  it('carry what a later kubectl apply compares with', () => {
    write('a.yaml', configMap('one', '{a: b}', 'default'))
    sync()
    expect(JSON.parse(get('configmaps', 'one', 'default')?.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'] ?? '')).toMatchObject({ data: { a: 'b' } })
    expect(get('configmaps', 'one', 'default')?.metadata.managedFields?.map(({ manager, operation }) => [manager, operation])).toEqual([['narthex-sandbox', 'Apply']])
  })

  it('in an old form are converted', () => {
    write('old.yaml', `apiVersion: extensions/v1beta1
kind: Ingress
metadata: {name: old, namespace: default}
spec: {rules: [{host: a.example.com, http: {paths: [{backend: {serviceName: web, servicePort: 80}}]}}]}
`)
    expect(sync()).toEqual(['old.yaml: 1 created'])
    expect(get('ingresses', 'old', 'default')).toMatchObject({ apiVersion: 'networking.k8s.io/v1', spec: { rules: [{ http: { paths: [{ backend: { service: { name: 'web', port: { number: 80 } } } }] } }] } })
  })

  it('are applied again where they changed, fields that are gone are taken off, what others set stays', () => {
    write('a.yaml', `${configMap('one', '{a: b, c: d}', 'default')}---\n${configMap('two', '{}', 'default')}`)
    sync()
    cluster.registry.patch('configmaps', 'default', 'one', { data: { mine: 'kept' } })
    const { resourceVersion } = get('configmaps', 'two', 'default')?.metadata ?? {}
    write('a.yaml', `${configMap('one', '{a: x}', 'default')}---\n${configMap('two', '{}', 'default')}`)
    expect(sync()).toEqual(['a.yaml: 1 changed'])
    expect(get('configmaps', 'one', 'default')?.['data']).toEqual({ a: 'x', mine: 'kept' })
    expect(get('configmaps', 'two', 'default')?.metadata.resourceVersion).toBe(resourceVersion)
    expect(sync()).toEqual([])
  })

  it('take away with them what came from them, and nothing else', () => {
    cluster.registry.create('configmaps', { metadata: { name: 'before', namespace: 'default' } })
    const file = write('a.yaml', [configMap('one', '{}', 'default'), configMap('two', '{}', 'default'), configMap('before', '{a: b}', 'default')].join('---\n'))
    sync()
    write('a.yaml', configMap('one', '{}', 'default'))
    expect(sync()).toEqual(['a.yaml: 1 deleted'])
    expect([get('configmaps', 'one', 'default'), get('configmaps', 'two', 'default'), get('configmaps', 'before', 'default')].map(Boolean)).toEqual([true, false, true])
    unlinkSync(file)
    expect(sync()).toEqual(['a.yaml: 1 deleted'])
    expect(get('configmaps', 'one', 'default')).toBeUndefined()
  })

  it('may hand an object over to another file', () => {
    write('a.yaml', configMap('one', '{}', 'default'))
    sync()
    const { uid } = get('configmaps', 'one', 'default')?.metadata ?? {}
    unlinkSync(join(folder, 'a.yaml'))
    write('b.yaml', configMap('one', '{}', 'default'))
    expect(sync()).toEqual([])
    expect(get('configmaps', 'one', 'default')?.metadata.uid).toBe(uid)
  })
})

describe('a bad file', () => {
  it('costs one line with file, document, object and field; the rest is applied', () => {
    write('bad.yaml', `${configMap('good', '{}', 'default')}---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: default}
spec: {rules: [{host: a.example.com, http: {paths: [{path: /, backend: {service: {name: web, port: {number: 80}}}}]}}]}
---
apiVersion: v1
kind: Service
metadata: {name: typo, namespace: default}
spec: {selectr: {app: web}, ports: [{port: 80}]}
---
metadata: {name: [unclosed
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
---
just text
---
apiVersion: v1
kind: ConfigMap
metadata: {namespace: default}
`)
    const told = sync()
    expect(told).toContain('bad.yaml: 1 created')
    expect(told).toContain('bad.yaml, document 2, Ingress default/web: Ingress.networking.k8s.io "web" is invalid: spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified')
    expect(told).toContain('bad.yaml, document 3, Service default/typo: Service in version "v1" cannot be handled as a Service: strict decoding error: unknown field "spec.selectr"')
    expect(told.find((line) => line.startsWith('bad.yaml, document 4:'))).toMatch(/not valid YAML: .* \(line 1[67], column \d+\)$/)
    expect(told).toContain('bad.yaml, document 5, Widget w: the sandbox has no kind "Widget" in "example.com/v1"')
    expect(told).toContain('bad.yaml, document 6: not a Kubernetes object: it has no fields')
    expect(told).toContain('bad.yaml, document 7, ConfigMap default/(no name): metadata.name: Required value')
    expect(told).toHaveLength(7)
  })

  it('keeps what it held while it could be read', () => {
    write('a.yaml', `${configMap('one', '{}', 'default')}---\n${configMap('two', '{}', 'default')}`)
    sync()
    write('a.yaml', `${configMap('one', '{}', 'default')}---\napiVersion: [`)
    expect(sync()).toHaveLength(1)
    expect(get('configmaps', 'two', 'default')).toBeDefined()
  })

  it('that is not there is named', () => {
    applier.sync([join(folder, 'none.yaml')])
    expect(lines).toEqual(['none.yaml: no such file or directory'])
  })

  it('waits for a namespace that is not there yet', async () => {
    write('a.yaml', configMap('one', '{}'))
    expect(sync()).toEqual(['a.yaml, document 1, ConfigMap dev/one: namespaces "dev" not found; it is applied once that namespace is there'])
    expect([...applier.missingNamespaces]).toEqual(['dev'])
    cluster.registry.create('namespaces', { metadata: { name: 'dev' } })
    await settled()
    expect(sync()).toEqual(['a.yaml: 1 created'])
    expect(applier.missingNamespaces.size).toBe(0)
  })
})

describe('watching the files', () => {
  it('tells of a change once it has lasted, of new files and of those that are gone', async () => {
    const clock = fakeClock()
    let changes = 0
    write('a.yaml', NAMESPACE)
    const stop = watchManifests([folder], clock, () => changes++)
    await clock.advance(1000)
    expect(changes).toBe(0)
    write('a.yaml', `${NAMESPACE}---\n`)
    await clock.advance(250)
    expect(changes).toBe(0)
    await clock.advance(250)
    expect(changes).toBe(1)
    write('b.yaml', '')
    await clock.advance(1000)
    expect(changes).toBe(2)
    unlinkSync(join(folder, 'a.yaml'))
    await clock.advance(1000)
    expect(changes).toBe(3)
    stop()
    expect(clock.pending).toBe(0)
  })
})
