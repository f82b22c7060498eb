// Store, translation and status together against the sandbox's API, with kubectl as the judge.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connect, type Connection } from '../../src/kube/connection.ts'
import { startStore, type LiveStore } from '../../src/kube/start-store.ts'
import { decodeObject } from '../../src/sandbox/api-server/schemas/decode.ts'
import { decodeProtobuf } from '../../src/sandbox/api-server/protobuf/decode.ts'
import { createOpenApi } from '../../src/sandbox/api-server/openapi.ts'
import { KINDS } from '../../src/sandbox/api-server/kinds/index.ts'
import { SCHEMAS } from '../../src/sandbox/api-server/schemas/table.ts'
import { writeKubeconfig } from '../../src/sandbox/api-server/kubeconfig.ts'
import { startApiServer, type ApiServer } from '../../src/sandbox/api-server/start.ts'
import { startStatus, type StatusWriter } from '../../src/status/start-status.ts'
import { DEFAULT_TRANSLATE_OPTIONS } from '../../src/translate/options.ts'
import { formatRouting } from '../../src/translate/route-lines.ts'
import { createMemo, translate } from '../../src/translate/translate.ts'
import { kubectlFor, ok, type Kubectl } from '../support/kubectl.ts'

let home: string
let api: ApiServer
let kubectl: Kubectl
let connection: Connection
let store: LiveStore
let status: StatusWriter
let lines: string
let failures: string[]
const used = new Set<string>()

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'narthex-live-'))
  failures = []
  api = await startApiServer({ port: 0, address: '127.0.0.1', kinds: KINDS, schemas: SCHEMAS, decoders: { decodeObject, decodeProtobuf }, openApi: createOpenApi(KINDS), log: (line) => failures.push(line) })
  api.onRequest(({ userAgent, verb, group, resource, subresource }) => {
    if (userAgent === 'narthex') used.add(`${verb} ${group}/${resource}${subresource === '' ? '' : `/${subresource}`}`)
  })
  await writeKubeconfig(join(home, 'kubeconfig'), api.url)
  kubectl = kubectlFor(join(home, 'kubeconfig'), home)
  connection = await connect({ kubeconfig: join(home, 'kubeconfig') })
  const log = (level: string, message: string): void => void (level === 'debug' || failures.push(message))
  store = startStore({ connection, namespace: '', log })
  status = startStatus({ connection, addresses: { addresses: ['192.0.2.7'] }, log })
  const memo = createMemo()
  const run = (): void => {
    const state = store.state()
    const translation = translate(state, DEFAULT_TRANSLATE_OPTIONS, memo)
    lines = formatRouting(translation.config).join('\n')
    status.update({ ...translation, state })
  }
  await store.synced
  store.onDirty(run)
  run()
})
afterEach(async () => {
  await status.stop()
  await store.stop()
  await connection.close()
  await api.close()
  await rm(home, { recursive: true, force: true })
  expect(failures).toEqual([])
})

async function eventually(read: () => Promise<string> | string, holds: (text: string) => boolean): Promise<string> {
  const deadline = performance.now() + 10_000
  for (;;) {
    const text = await read()
    if (holds(text)) return text
    if (performance.now() > deadline) throw new Error(`waited in vain; at the end:\n${text}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const OBJECTS = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: narthex}
spec: {controller: narthex.ingress.kubernetes.io/controller}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: default, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: default}
spec:
  ingressClassName: narthex
  rules:
    - host: app.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}
          - {path: /gone, pathType: Prefix, backend: {service: {name: gone, port: {number: 80}}}}
`

test('an Ingress is routed, gets its address and its events, and goes when it is deleted', async () => {
  await ok(kubectl('apply -f -', OBJECTS))
  await eventually(() => lines, (text) => text === 'http app.example.com/gone prefix -> 503\nhttp app.example.com/ prefix -> default/web:80 [10.0.0.1:8080]')
  await eventually(() => ok(kubectl('get ing web -o wide')), (text) => text.includes('192.0.2.7'))
  const described = await eventually(() => ok(kubectl('describe ing web')), (text) => text.includes('Sync') && text.includes('ServiceNotFound'))
  expect(described).toMatch(/Address:\s+192\.0\.2\.7/)
  expect(described).toMatch(/Normal\s+Sync\s+\S+\s+narthex\s+Scheduled for sync/)
  expect(described).toMatch(/Warning\s+ServiceNotFound\s+\S+\s+narthex\s+spec\.rules\[0\]\.http\.paths\[1\]\.backend\.service\.name: There is no Service "gone" in namespace "default"; .*Create the Service default\/gone/)

  // A change of the Ingress raises the count of its Sync event; our own address did not.
  expect(await ok(kubectl('get events --field-selector reason=Sync -o jsonpath={.items[*].count}'))).toBe('1')
  await ok(kubectl('annotate ing web example.com/note=x'))
  await eventually(() => ok(kubectl('get events --field-selector reason=Sync -o jsonpath={.items[*].count}')), (text) => text === '2')

  await ok(kubectl('delete ing web'))
  await eventually(() => lines, (text) => text === '')
  expect([...used].sort()).toEqual([
    'create /events',
    'list /secrets', 'list /services', 'list discovery.k8s.io/endpointslices', 'list networking.k8s.io/ingressclasses', 'list networking.k8s.io/ingresses',
    'patch /events', 'patch networking.k8s.io/ingresses/status',
    'watch /secrets', 'watch /services', 'watch discovery.k8s.io/endpointslices', 'watch networking.k8s.io/ingressclasses', 'watch networking.k8s.io/ingresses',
  ])
})

test('a class that comes later or goes takes the routes along', async () => {
  const [kind, ...rest] = OBJECTS.split('---')
  await ok(kubectl('apply -f -', rest.join('---').replace('name: gone', 'name: web')))
  await eventually(() => lines, (text) => text === '')
  await ok(kubectl('apply -f -', kind))
  await eventually(() => lines, (text) => text.includes('http app.example.com/ prefix'))
  await ok(kubectl('delete ingressclass narthex'))
  await eventually(() => lines, (text) => text === '')
})
