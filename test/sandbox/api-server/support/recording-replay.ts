// Replays recorded kubectl commands against the sandbox's API server with the controllers that the recorded cluster had,
// and lists what came out differently.
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { systemClock } from '../../../../src/base/clock.ts'
import type { ApiRegistry } from '../../../../src/sandbox/api-server/api-registry.ts'
import { copyJson, isJsonObject, readPath } from '../../../../src/sandbox/api-server/json-value.ts'
import { createKinds } from '../../../../src/sandbox/api-server/kinds/index.ts'
import { writeKubeconfig } from '../../../../src/sandbox/api-server/kubeconfig.ts'
import { startApiServer } from '../../../../src/sandbox/api-server/start.ts'
import type { ControllerContext } from '../../../../src/sandbox/controllers/controller.ts'
import { runDeploymentController } from '../../../../src/sandbox/controllers/deployment.ts'
import { runEndpointsController } from '../../../../src/sandbox/controllers/endpoints.ts'
import { runEndpointSliceMirroringController } from '../../../../src/sandbox/controllers/endpointslice-mirroring.ts'
import { runEndpointSliceController } from '../../../../src/sandbox/controllers/endpointslice.ts'
import { createEventRecorder } from '../../../../src/sandbox/controllers/event-recorder.ts'
import { runNamespaceController } from '../../../../src/sandbox/controllers/namespace.ts'
import { runReplicaSetController } from '../../../../src/sandbox/controllers/replicaset.ts'
import { runKubectl } from './kubectl-run.ts'
import { compareExchanges, resourcesInScope } from './recording-exchanges.ts'
import { differences, normalText } from './recording-normal-form.ts'
import type { Difference } from './recording-normal-form.ts'
import { startRecordingProxy } from './recording-proxy.ts'
import type { Recording } from './recordings.ts'

export interface Replay {
  /** By recording name, those of one command in the order of its output and exchanges. */
  readonly differences: ReadonlyMap<string, readonly Difference[]>
  /** `group/version/resource` of everything that the sandbox serves. */
  readonly served: readonly string[]
  readonly milliseconds: number
}

/** Suffixes that the recorded cluster drew, by what they end. */
const suffixes: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^web-[a-z0-9]{9,10}-$/, ['h6bc5', '9hjww', 'd7ltt']],
  [/^made-[a-z0-9]{9,10}-$/, ['gnqwd']],
  [/^db-$/, ['xnz5z']],
  [/^web-$/, ['gf89h']],
  [/^web-headless-$/, ['nfhff']],
]

export async function replay(recordings: readonly Recording[]): Promise<Replay> {
  const begin = performance.now()
  const directory = await mkdtemp(join(tmpdir(), 'narthex-recordings-'))
  const queues = suffixes.map(([pattern, list]) => ({ pattern, left: [...list] }))
  let random = 0
  const server = await startApiServer({
    port: 0,
    address: '127.0.0.1',
    kinds: createKinds({ serviceRange: '10.96.0.0/16' }),
    log: (line) => {
      throw new Error(line)
    },
    nameSuffix: (generateName) => queues.find(({ pattern }) => pattern.test(generateName))?.left.shift() ?? `x${String((random += 1)).padStart(4, '2')}`,
  })
  const { registry } = server
  const context: ControllerContext = { registry, clock: systemClock, events: createEventRecorder(registry, systemClock), log: () => undefined }
  const namespaced = registry.kinds.filter((kind) => kind.namespaced).map((kind) => kind.resource)
  // The recorded cluster had no scheduler, no kubelet and no load balancer.
  const controllers = [
    runNamespaceController(context, namespaced), runDeploymentController(context), runReplicaSetController(context), runEndpointSliceController(context),
    runEndpointsController(context), runEndpointSliceMirroringController(context),
  ]
  const proxy = await startRecordingProxy(server.url)
  try {
    const kubeconfig = join(directory, 'kubeconfig')
    await writeKubeconfig(kubeconfig, proxy.url)
    makeCertificates(directory)
    const env = { PATH: process.env['PATH'], HOME: directory, KUBECONFIG: kubeconfig, KUBECACHEDIR: join(directory, 'cache') }
    const found = new Map<string, readonly Difference[]>()
    for (const recording of recordings) {
      const { name, command, stdin, stdout } = recording
      if (name.startsWith('016')) await makePodsReady(registry, recordings)
      const lines = stdout.split('\n').length
      const isDone = (text: string): boolean => text.split('\n').length >= lines && proxy.sawWatch()
      const before = registry.storage.version
      const run = await runKubectl(command, { env, cwd: directory, stdin: stdin ?? '', ...(recording.exit === null && { isDone }) })
      if (registry.storage.version !== before) await settled(registry)
      found.set(name, [
        ...differences(recording.exit, run.exit, 'exit'),
        ...differences(output(recording.command, stdout), output(command, run.stdout), 'stdout'),
        ...differences(output(recording.command, recording.stderr), output(command, run.stderr), 'stderr'),
        ...compareExchanges(recording.exchanges, proxy.take()),
      ].map((difference) => ({ command: name, ...difference })))
    }
    const served = registry.kinds.map((kind) => `${kind.group}/${kind.version}/${kind.resource}`)
    return { differences: found, served, milliseconds: performance.now() - begin }
  } finally {
    for (const controller of controllers) controller.close()
    await proxy.close()
    await server.close()
    await rm(directory, { recursive: true, force: true })
  }
}

/** Raw answers are compared as exchanges, where the order of members does not count. */
function output(command: string, text: string): string {
  if (command.includes('--raw') && text.startsWith('{')) return ''
  const normal = normalText(command === 'kubectl api-resources' ? resourcesInScope(text) : text)
  // kubectl sorts events by whole seconds: which of two is first depends on where a second ended.
  return command.startsWith('kubectl events') ? normal.split('\n').toSorted().join('\n') : normal
}

/** Two keys and a certificate of the first: what the recorded commands name. */
function makeCertificates(directory: string): void {
  const openssl = (...words: readonly string[]): void => {
    execFileSync('openssl', words, { cwd: directory, stdio: 'ignore' })
  }
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'k.pem', '-out', 'c.pem', '-subj', '/CN=t.example.com', '-days', '1')
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'k2.pem')
}

/** Waits until the controllers have nothing more to do. */
async function settled(registry: ApiRegistry): Promise<void> {
  for (let round = 0; round < 40; round += 1) {
    const before = registry.storage.version
    await wait(15)
    if (registry.storage.version === before) return
  }
}

/** What was done by hand in the recorded cluster: bound to node1, running and ready; taken from the recorded pods themselves. */
async function makePodsReady(registry: ApiRegistry, recordings: readonly Recording[]): Promise<void> {
  const list = recordings.find((recording) => recording.name.startsWith('024'))?.exchanges[0]?.response.body
  const items = readPath(list, 'items')
  const kind = registry.kinds.find((one) => one.resource === 'pods')
  if (!Array.isArray(items) || kind === undefined) throw new Error('recording 024 has no pods')
  registry.create('nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node1', labels: { 'topology.kubernetes.io/region': 'r1', 'topology.kubernetes.io/zone': 'z1' } } })
  for (const item of items) {
    const suffix = String(readPath(item, 'metadata', 'name')).slice(-5)
    const pod = registry.list('pods', 'dev').find((one) => one.metadata.name.endsWith(suffix))
    if (pod === undefined || !isJsonObject(item)) throw new Error(`no pod ends with ${suffix}`)
    const bound = copyJson(pod)
    // A binding leaves no trace in managed fields.
    bound['spec'] = { ...asObject(bound['spec']), nodeName: 'node1' }
    bound.metadata.labels = { ...bound.metadata.labels, 'topology.kubernetes.io/region': 'r1', 'topology.kubernetes.io/zone': 'z1' }
    const conditions = readPath(item, 'status', 'conditions')
    bound['status'] = { ...asObject(bound['status']), conditions: (Array.isArray(conditions) ? conditions : []).filter((condition) => readPath(condition, 'type') === 'PodScheduled') }
    registry.storage.put(kind, bound)
    // One after the other: each makes the endpoint controllers write.
    await settled(registry)
    registry.modify(kind, 'dev', pod.metadata.name, (live) => ({ ...copyJson(live), status: copyJson(item['status']) }), { subresource: 'status', fieldManager: 'kubectl-patch' })
  }
  await settled(registry)
}

function asObject(value: unknown): object {
  return isJsonObject(value) ? value : {}
}
