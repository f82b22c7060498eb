// Rights of service accounts: what stored Roles and bindings grant, in the words of a real API server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubectlServer } from './support/kubectl-server.ts'
import { startKubectlServer } from './support/kubectl-server.ts'
import { send } from './support/plain-server.ts'

const manifest = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules:
- {apiGroups: [networking.k8s.io], resources: [ingresses], verbs: [get, list, watch]}
- {apiGroups: [networking.k8s.io], resources: [ingresses/status], verbs: [patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: one, namespace: default}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: leader, namespace: default}
rules:
- {apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [narthex], verbs: [get, update, watch, list]}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: leader, namespace: default}
roleRef: {kind: Role, name: leader, apiGroup: rbac.authorization.k8s.io}
subjects: [{kind: Group, name: "system:serviceaccounts:default"}]
`

let running: KubectlServer

beforeAll(async () => {
  running = await startKubectlServer({ rbac: true })
  expect(await running.kubectl('apply -f -', manifest)).toMatchObject({ exit: 0, stderr: '' })
})

afterAll(async () => running.close())

function as(account: string): Record<string, string> {
  return { authorization: `Bearer serviceaccount:default:${account}` }
}

async function status(account: string, path: string, method = 'GET', body?: unknown, more: Record<string, string> = {}): Promise<number> {
  return (await send(running.server, path, { method, body, headers: { ...as(account), ...more } })).status
}

const ingresses = '/apis/networking.k8s.io/v1/ingresses'
const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases'

describe('a service account', () => {
  it('may do what its roles grant', async () => {
    expect(await status('one', ingresses)).toBe(200)
    expect(await status('one', '/apis/networking.k8s.io/v1/namespaces/default/ingresses/x')).toBe(404)
    expect(await status('one', '/apis/networking.k8s.io/v1/namespaces/default/ingresses/x/status', 'PATCH', {}, { 'content-type': 'application/merge-patch+json' })).toBe(404)
    expect(await status('two', `${leases}/narthex`)).toBe(404)
    expect(await status('two', `${leases}?fieldSelector=metadata.name%3Dnarthex`)).toBe(200)
    expect(await status('two', leases, 'POST', { metadata: { name: 'narthex' } })).toBe(201)
  })

  it('may do nothing else, and is told what and where', async () => {
    expect((await send(running.server, '/api/v1/services', { headers: as('one') })).body).toEqual({
      kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'Forbidden', code: 403, details: { kind: 'services' },
      message: 'services is forbidden: User "system:serviceaccount:default:one" cannot list resource "services" in API group "" at the cluster scope',
    })
    expect((await send(running.server, `${leases}/other`, { headers: as('two') })).body['message']).toBe(
      'leases.coordination.k8s.io "other" is forbidden: User "system:serviceaccount:default:two" cannot get resource "leases" in API group "coordination.k8s.io" in the namespace "default"',
    )
    expect((await send(running.server, '/apis/networking.k8s.io/v1/namespaces/default/ingresses/x', { method: 'DELETE', headers: as('one') })).body['message']).toContain('cannot delete resource "ingresses"')
    expect((await send(running.server, '/apis/networking.k8s.io/v1/namespaces/default/ingresses/x/status', { method: 'PUT', body: {}, headers: as('one') })).body['message']).toContain('cannot update resource "ingresses/status"')
    expect(await status('two', leases)).toBe(403)
    expect(await status('two', '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/narthex')).toBe(403)
    expect(await status('two', ingresses)).toBe(403)
  })

  it('may read discovery and its own rights', async () => {
    expect(await status('three', '/apis')).toBe(200)
    expect(await status('three', '/version')).toBe(200)
    const review = { spec: { resourceAttributes: { verb: 'list', group: 'networking.k8s.io', resource: 'ingresses' } } }
    const ask = async (account: string): Promise<unknown> => (await send(running.server, '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { method: 'POST', body: review, headers: as(account) })).body['status']
    expect(await ask('one')).toEqual({ allowed: true })
    expect(await ask('three')).toEqual({ allowed: false })
  })

  it('is known by its token only', async () => {
    for (const authorization of ['Bearer x', 'Basic eDp5', 'Bearer serviceaccount:default', 'Bearer serviceaccount:a:b:c', 'Bearer serviceaccount:../x:y']) {
      expect(await send(running.server, ingresses, { headers: { authorization } })).toMatchObject({ status: 401, body: { reason: 'Unauthorized' } })
    }
    expect((await send(running.server, '/api/v1/services')).status).toBe(200)
  })
})

describe('kubectl', () => {
  it('asks for the rights of others', async () => {
    expect(await running.kubectl('auth can-i list ingresses -A --as=system:serviceaccount:default:one')).toMatchObject({ exit: 0, stdout: 'yes\n' })
    expect(await running.kubectl('auth can-i delete ingresses --as=system:serviceaccount:default:one')).toMatchObject({ exit: 1, stdout: 'no\n' })
  })

  it('prints roles and bindings, and is told what is wrong with them', async () => {
    expect((await running.kubectl('get rolebindings -o wide')).stdout.replaceAll(/ {2,}/g, '  ')).toMatch(/NAME {2}ROLE {2}AGE {2}USERS {2}GROUPS {2}SERVICEACCOUNTS\nleader {2}Role\/leader {2}\d+s {2}system:serviceaccounts:default/)
    expect((await running.kubectl('get clusterrole reader -o yaml')).stdout).toContain('- ingresses/status')
    const broken = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'broken' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: [] }] }
    expect((await running.kubectl('apply -f -', broken)).stderr).toContain('rules[0].verbs: Required value: verbs must contain at least one value')
    expect((await running.kubectl('apply -f -', manifest.replaceAll('kind: Role, name: leader', 'kind: Role, name: other'))).stderr).toContain('cannot change roleRef')
  })
})
