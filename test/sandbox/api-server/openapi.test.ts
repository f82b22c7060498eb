// The OpenAPI documents, with kubectl as the judge: what `kubectl explain` prints, and that it leaves field validation to the server.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KINDS } from '../../../src/sandbox/api-server/kinds/index.ts'
import { createOpenApi } from '../../../src/sandbox/api-server/openapi.ts'
import { RECORDINGS } from './kinds/recordings.ts'

const openApi = createOpenApi(KINDS)
const run = promisify(execFile)

/** Discovery and documents of one kind: as little of an API server as explain needs. */
function answer(path: string): object | undefined {
  if (path === '/openapi/v3') return openApi.index()
  if (path.startsWith('/openapi/v3/')) return openApi.document(path.slice('/openapi/v3/'.length))
  if (path === '/api') return { kind: 'APIVersions', versions: [] }
  const groupVersion = 'networking.k8s.io/v1'
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: [{ name: 'networking.k8s.io', versions: [{ groupVersion, version: 'v1' }], preferredVersion: { groupVersion, version: 'v1' } }] }
  if (path !== `/apis/${groupVersion}`) return undefined
  return { kind: 'APIResourceList', groupVersion, resources: [{ name: 'ingresses', singularName: 'ingress', namespaced: true, kind: 'Ingress', verbs: ['get', 'list'] }] }
}

let server: Server
let cache: string

beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'narthex-openapi-'))
  server = createServer((request, response) => {
    const found = answer(new URL(request.url ?? '/', 'http://x').pathname)
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(found ?? { kind: 'Status', status: 'Failure', code: 404 }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})

afterAll(async () => {
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
  await rm(cache, { recursive: true })
})

async function explain(...args: readonly string[]): Promise<string> {
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const { stdout } = await run('kubectl', ['--kubeconfig=/dev/null', `--server=http://127.0.0.1:${port}`, `--cache-dir=${cache}`, 'explain', ...args])
  return stdout
}

describe('kubectl explain', () => {
  if (RECORDINGS !== undefined) {
    const recording = join(RECORDINGS, '066-explain.json')
    test('prints what it prints for a real API server', async () => {
      const recorded = JSON.parse(readFileSync(recording, 'utf8')) as { stdout: string }
      expect(await explain('ingress.spec.rules')).toBe(recorded.stdout)
    })
  }

  test('prints the whole tree with types', async () => {
    const tree = await explain('ingress', '--recursive')
    expect(tree).toContain('GROUP:      networking.k8s.io\nKIND:       Ingress\nVERSION:    v1\n')
    expect(tree).toContain('  spec\t<IngressSpec>\n    defaultBackend\t<IngressBackend>\n')
    expect(tree).toContain('creationTimestamp\t<string>\n')
    expect(tree).toContain('pathType\t<string> -required-\n')
  })
})

describe('documents', () => {
  test('the index names every group-version with a hash of its document', () => {
    const index = openApi.index() as { paths: Record<string, { serverRelativeURL: string }> }
    expect(Object.keys(index.paths).sort()).toEqual([
      'api/v1', 'apis/apps/v1', 'apis/coordination.k8s.io/v1', 'apis/discovery.k8s.io/v1', 'apis/events.k8s.io/v1', 'apis/extensions/v1beta1',
      'apis/networking.k8s.io/v1', 'apis/networking.k8s.io/v1beta1',
    ])
    expect(index.paths['api/v1']?.serverRelativeURL).toMatch(/^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]{128}$/)
    expect(openApi.document('apis/nothing/v1')).toBeUndefined()
  })

  test('patching takes fieldValidation for every kind in every version, and every reference is defined', () => {
    for (const kind of KINDS) {
      for (const { group, version } of [kind, ...(kind.legacy ?? [])]) {
        const document = openApi.document(group === '' ? `api/${version}` : `apis/${group}/${version}`) as { paths: Record<string, Record<string, object>>; components: { schemas: Record<string, object> } }
        const patches = Object.values(document.paths).flatMap(path => (path['patch'] === undefined ? [] : [path['patch']]))
        expect(patches).toContainEqual(expect.objectContaining({ 'x-kubernetes-group-version-kind': { group, version, kind: kind.kind }, 'parameters': expect.arrayContaining([expect.objectContaining({ name: 'fieldValidation' })]) as unknown }))
        for (const [, name = ''] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) expect(document.components.schemas).toHaveProperty([name])
      }
    }
  })
})
