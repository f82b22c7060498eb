// What the recordings do not show, with real kubectl: old versions, moving to server-side apply, pages, waiting, replacing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startKubectlServer } from './support/kubectl-server.ts'
import type { KubectlServer } from './support/kubectl-server.ts'

let running: KubectlServer

beforeAll(async () => {
  running = await startKubectlServer()
})

afterAll(async () => running.close())

async function ok(words: string, stdin?: unknown): Promise<string> {
  const { exit, stdout, stderr } = await running.kubectl(words, stdin)
  if (exit !== 0) throw new Error(`kubectl ${words}: ${stderr}`)
  return stdout
}

function ingress(name: string, path: string): Record<string, unknown> {
  return {
    apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name, namespace: 'default' },
    spec: { rules: [{ host: 'a.example.com', http: { paths: [{ path, pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] } }] },
  }
}

describe('old versions of Ingress', () => {
  it.each(['extensions/v1beta1', 'networking.k8s.io/v1beta1'])('%s is taken, kept as v1, and not written again when nothing changed', async (apiVersion) => {
    const name = `old-${apiVersion.split('.')[0]?.replaceAll('/', '-') ?? ''}`
    const manifest = { apiVersion, kind: 'Ingress', metadata: { name, namespace: 'default' }, spec: { rules: [{ host: 'o.example.com', http: { paths: [{ path: '/x', backend: { serviceName: 'web', servicePort: 80 } }, { backend: { serviceName: 'web', servicePort: 'http' } }] } }] } }
    const first = await running.kubectl('apply -f -', manifest)
    expect(first.stdout).toContain('created')
    expect(first.stderr).toContain(`Warning: ${apiVersion} Ingress is deprecated`)
    expect(JSON.parse(await ok(`get ingresses.networking.k8s.io ${name} -o json`))).toMatchObject({
      apiVersion: 'networking.k8s.io/v1',
      spec: { rules: [{ http: { paths: [{ path: '/x', pathType: 'ImplementationSpecific', backend: { service: { name: 'web', port: { number: 80 } } } }, { backend: { service: { port: { name: 'http' } } } }] } }] },
    })
    // kubectl sends the rules whole, because the server filled in pathType; they are what is there already.
    const version = running.server.registry.get('ingresses', 'default', name)?.metadata.resourceVersion
    await ok('apply -f -', manifest)
    expect(running.server.registry.get('ingresses', 'default', name)?.metadata.resourceVersion).toBe(version)
    const changed = structuredClone(manifest)
    const [firstPath] = changed.spec.rules[0]?.http.paths ?? []
    if (firstPath !== undefined) firstPath.backend.servicePort = 81
    expect(await ok('apply -f -', changed)).toContain('configured')
    expect(JSON.parse(await ok(`get ingresses.networking.k8s.io ${name} -o json`))).toMatchObject({ spec: { rules: [{ http: { paths: [{ backend: { service: { port: { number: 81 } } } }, {}] } }] } })
    expect(await ok(`delete ing ${name}`)).toContain('deleted')
  })
})

describe('apply', () => {
  it('moves from client side to server side and back without conflict', async () => {
    await ok('apply -f -', ingress('move', '/1'))
    expect(await ok('apply --server-side -f -', ingress('move', '/2'))).toContain('serverside-applied')
    const managers = async (): Promise<string[]> => (JSON.parse(await ok('get ing move -o json --show-managed-fields')) as { metadata: { managedFields: { manager: string; operation: string }[] } }).metadata.managedFields.map(({ manager, operation }) => `${manager} ${operation}`)
    expect(await managers()).not.toContain('kubectl-client-side-apply Update')
    expect(await ok('apply --server-side -f -', ingress('move', '/3'))).toContain('serverside-applied')
    expect(await ok('apply -f -', ingress('move', '/3'))).toMatch(/unchanged|configured/)
    expect(JSON.parse(await ok('get ing move -o json'))).toMatchObject({ spec: { rules: [{ http: { paths: [{ path: '/3' }] } }] } })
  })

  it('names unknown fields on update as on create, or warns of them', async () => {
    await ok('apply -f -', ingress('strict', '/1'))
    const bad = { ...ingress('strict', '/1'), spec: { ...(ingress('strict', '/1')['spec'] as object), ruless: [] } }
    expect((await running.kubectl('apply -f -', bad)).stderr).toContain('unknown field "spec.ruless"')
    expect((await running.kubectl('apply --validate=warn -f -', bad)).stderr).toContain('Warning: unknown field "spec.ruless"')
    expect((await running.kubectl('apply --server-side -f -', bad)).stderr).toContain('.spec.ruless: field not declared in schema')
  })

  it('takes away what left the manifest', async () => {
    const service = (ports: readonly unknown[], labels: object): object => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'prune', namespace: 'default', labels }, spec: { ports } })
    await ok('apply -f -', service([{ name: 'a', port: 1 }, { name: 'b', port: 2 }], { x: 'y', z: 'z' }))
    await ok('apply -f -', service([{ name: 'b', port: 2 }], { z: 'z' }))
    expect(JSON.parse(await ok('get svc prune -o json'))).toMatchObject({ metadata: { labels: { z: 'z' } }, spec: { ports: [{ name: 'b', port: 2, protocol: 'TCP' }] } })
    expect((JSON.parse(await ok('get svc prune -o json')) as { metadata: { labels: object } }).metadata.labels).toEqual({ z: 'z' })
  })
})

describe('other commands', () => {
  it('read long lists in pages', async () => {
    for (let at = 0; at < 7; at += 1) running.server.registry.create('configmaps', { metadata: { name: `page-${at}`, namespace: 'kube-public' } })
    expect((await ok('get cm -n kube-public --chunk-size=2 -o name')).trim().split('\n')).toHaveLength(7)
    expect((await ok('get cm -n kube-public --chunk-size=3')).trim().split('\n')).toHaveLength(8)
    expect(await ok('delete cm --all -n kube-public')).toContain('"page-6" deleted')
  })

  it('wait for what happens', async () => {
    await ok('create configmap waited')
    const waiting = running.kubectl('wait --for=delete configmap/waited --timeout=5s')
    setTimeout(() => running.server.registry.delete('configmaps', 'default', 'waited'), 50)
    expect(await waiting).toMatchObject({ exit: 0 })
  })

  it('replace by force, edit labels, set images, explain', async () => {
    await ok('create deployment tool --image=a:1')
    expect(await ok('set image deployment/tool a=a:2')).toContain('image updated')
    expect(await ok('label deploy tool tier=x')).toContain('labeled')
    expect(await ok('label deploy tool tier-')).toContain('unlabeled')
    expect(await ok('get deploy tool -o jsonpath={.spec.template.spec.containers[0].image}')).toBe('a:2')
    await ok('create configmap forced --from-literal=a=b')
    expect(await ok('replace --force -f -', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'forced', namespace: 'default' }, data: { a: 'c' } })).toContain('replaced')
    expect(await ok('get cm forced -o jsonpath={.data.a}')).toBe('c')
    expect(await ok('explain service.spec.sessionAffinity')).toContain('FIELD: sessionAffinity <string>')
    expect(await ok('explain clusterrole.rules')).toContain('FIELD: rules <[]PolicyRule>')
  })

  it('see an object with a finalizer stay, and say when a delete takes long', async () => {
    await ok('create configmap kept')
    await ok('patch cm kept --type=merge -p {"metadata":{"finalizers":["example.com/keep"]}}')
    expect(await running.kubectl('delete cm kept --timeout=200ms')).toMatchObject({ exit: 1, stderr: expect.stringContaining('timed out waiting for the condition on configmaps/kept') })
    await ok('patch cm kept --type=json -p [{"op":"remove","path":"/metadata/finalizers"}]')
    expect(await running.kubectl('get cm kept')).toMatchObject({ exit: 1, stderr: 'Error from server (NotFound): configmaps "kept" not found\n' })
  })

  it('cascade as they are told', async () => {
    await ok('create deployment owner --image=a')
    const owner = running.server.registry.get('deployments', 'default', 'owner')
    const owned = (name: string): object => ({
      metadata: { name, namespace: 'default', ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'owner', uid: owner?.metadata.uid, controller: true, blockOwnerDeletion: true }] },
    })
    running.server.registry.create('configmaps', owned('orphaned'))
    expect(await ok('delete deploy owner --cascade=orphan')).toContain('deleted')
    expect(await ok('get cm orphaned -o name')).toBe('configmap/orphaned\n')
    expect(await running.kubectl('get deploy owner')).toMatchObject({ exit: 1 })
  })
})
