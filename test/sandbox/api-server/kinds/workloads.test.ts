// Pods, Deployments and ReplicaSets: what is filled in, what must match, what may change, how pods are printed.
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../../../src/sandbox/api-server/kind.ts'
import { admission, lines, NOW, setSpec, specOf } from './admission.ts'

const pods = admission('pods')
const deployments = admission('deployments')
const replicaSets = admission('replicasets')

const container = { name: 'web', image: 'nginx:1.17.1' }
const pod = (given: object = {}): object => ({ spec: { containers: [container], ...given } })
const workload = (given: object = {}): object => ({
  spec: { selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } }, ...given },
})

describe('Pod', () => {
  test('gets its account, a token volume in every container, tolerations, priority', () => {
    const { object, causes } = pods.create(pod({ initContainers: [{ name: 'init', image: 'busybox' }] }))
    expect(causes).toEqual([])
    expect(specOf(object)).toMatchObject({
      serviceAccountName: 'default', serviceAccount: 'default', priority: 0, preemptionPolicy: 'PreemptLowerPriority', enableServiceLinks: true,
      volumes: [{ name: 'kube-api-access-bbbbb', projected: { defaultMode: 420 } }],
      containers: [{ volumeMounts: [{ name: 'kube-api-access-bbbbb', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }] }],
      initContainers: [{ imagePullPolicy: 'Always', volumeMounts: [{ name: 'kube-api-access-bbbbb' }] }],
      tolerations: [{ key: 'node.kubernetes.io/not-ready' }, { key: 'node.kubernetes.io/unreachable' }],
    })
    expect(object['status']).toEqual({ phase: 'Pending', qosClass: 'BestEffort' })
  })

  test('keeps the account and tolerations that it names, and no token when it wants none', () => {
    const { object } = pods.create(pod({ serviceAccountName: 'mine', automountServiceAccountToken: false, tolerations: [{ operator: 'Exists' }] }))
    expect(specOf(object)).toMatchObject({ serviceAccount: 'mine', tolerations: [{ operator: 'Exists' }] })
    expect(specOf(object)['volumes']).toBeUndefined()
  })

  test.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['registry.example:5000/nginx', 'Always'],
    ['registry.example:5000/nginx:1', 'IfNotPresent'],
    ['nginx@sha256:0123', 'IfNotPresent'],
  ])('image %s is pulled %s', (image, policy) => {
    expect(specOf(pods.create(pod({ containers: [{ name: 'a', image }] })).object)).toMatchObject({ containers: [{ imagePullPolicy: policy }] })
  })

  test.each([
    [{ limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
    [{ requests: { cpu: '1' } }, 'Burstable'],
    [{ requests: { 'example.com/thing': '1' } }, 'BestEffort'],
  ])('resources %j make it %s', (resources, qosClass) => {
    expect(pods.create(pod({ containers: [{ ...container, resources }] })).object['status']).toMatchObject({ qosClass })
  })

  test('asks for what it is limited to, and probes get their figures', () => {
    const { object } = pods.create(pod({ containers: [{ ...container, resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '0.5' } }, readinessProbe: { httpGet: { port: 80 } } }] }))
    expect(specOf(object)['containers']).toMatchObject([
      { resources: { requests: { cpu: '500m', memory: '1Gi' } }, readinessProbe: { httpGet: { path: '/', scheme: 'HTTP' }, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 } },
    ])
  })

  test.each([
    [{ containers: [] }, 'spec.containers: Required value'],
    [{ containers: [{ image: 'a' }] }, 'spec.containers[0].name: Required value'],
    [{ containers: [{ name: 'a' }] }, 'spec.containers[0].image: Required value'],
    [{ containers: [container, container] }, 'spec.containers[1].name: Duplicate value: "web"'],
    [{ containers: [{ ...container, ports: [{ containerPort: 0 }] }] }, 'spec.containers[0].ports[0].containerPort: Required value'],
    [{ containers: [{ ...container, ports: [{ containerPort: 1, name: 'a' }, { containerPort: 2, name: 'a' }] }] }, 'spec.containers[0].ports[1].name: Duplicate value: "a"'],
    [{ containers: [{ ...container, volumeMounts: [{ name: 'v', mountPath: '/v' }] }] }, 'spec.containers[0].volumeMounts[0].name: Not found: "v"'],
    [{ restartPolicy: 'Sometimes' }, 'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    [{ volumes: [{ name: 'v', emptyDir: {}, secret: { secretName: 's' } }] }, 'spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type'],
  ])('%j is refused', (given, expected) => expect(lines(pods.create(pod(given)).causes)).toContain(expected))

  test('may be bound to a node once, and change its image, and nothing else', () => {
    const { object } = pods.create(pod())
    const bound = pods.update(object, setSpec('nodeName', 'node1'))
    expect(bound.causes).toEqual([])
    const image = [{ ...(specOf(object)['containers'] as object[])[0], image: 'nginx:2' }]
    expect(pods.update(bound.object, setSpec('containers', image)).causes).toEqual([])
    for (const [field, value] of [['nodeName', 'node2'], ['hostname', 'other'], ['restartPolicy', 'Never']] as const) {
      expect(lines(pods.update(bound.object, setSpec(field, value)).causes)).toEqual([expect.stringContaining('spec: Forbidden: pod updates may not change fields other than')])
    }
  })

  test('ends at once until it has a node, then in its grace period', () => {
    const { object } = pods.create(pod({ terminationGracePeriodSeconds: 5 }))
    expect(pods.kind.gracePeriod?.(object, undefined)).toBe(0)
    const bound = pods.update(object, setSpec('nodeName', 'node1')).object
    expect([pods.kind.gracePeriod?.(bound, undefined), pods.kind.gracePeriod?.(bound, 1), pods.kind.gracePeriod?.(bound, 0)]).toEqual([5, 1, 0])
    bound['status'] = { phase: 'Succeeded' }
    expect(pods.kind.gracePeriod?.(bound, undefined)).toBe(0)
  })

  test('can be selected by node, phase and address', () => {
    const { object } = pods.update(pods.create(pod({ nodeName: 'node1' })).object, draft => void (draft['status'] = { phase: 'Running', podIP: '127.10.0.1' }))
    expect(object['status']).toMatchObject({ podIPs: [{ ip: '127.10.0.1' }] })
    const { fields } = pods.kind
    expect([fields['spec.nodeName']?.(object), fields['status.phase']?.(object), fields['status.podIP']?.(object)]).toEqual(['node1', 'Running', '127.10.0.1'])
  })
})

describe('cells of a pod', () => {
  const row = (status: object, change: (object: KubeObject) => void = () => {}): unknown[] => {
    const { object } = pods.create(pod())
    object['status'] = status
    change(object)
    return [...pods.kind.row(object, NOW)].slice(1, 4)
  }
  const running = { ready: true, restartCount: 0, state: { running: {} } }

  test.each([
    ['pending', { phase: 'Pending' }, ['0/1', 'Pending', '0']],
    ['running', { phase: 'Running', containerStatuses: [running] }, ['1/1', 'Running', '0']],
    ['waiting for a reason', { phase: 'Pending', containerStatuses: [{ restartCount: 0, state: { waiting: { reason: 'ImagePullBackOff' } } }] }, ['0/1', 'ImagePullBackOff', '0']],
    ['restarted', { phase: 'Running', containerStatuses: [{ ...running, restartCount: 3, lastState: { terminated: { finishedAt: '2026-11-20T11:55:00Z' } } }] }, ['1/1', 'Running', '3 (5m ago)']],
    ['killed', { phase: 'Failed', containerStatuses: [{ restartCount: 0, state: { terminated: { signal: 9 } } }] }, ['0/1', 'Signal:9', '0']],
    ['failed', { phase: 'Failed', containerStatuses: [{ restartCount: 0, state: { terminated: { exitCode: 2 } } }] }, ['0/1', 'ExitCode:2', '0']],
    ['initialising', { phase: 'Pending', initContainerStatuses: [{ state: { running: {} } }] }, ['0/1', 'Init:0/0', '0']],
  ])('%s', (_, status, expected) => expect(row(status)).toEqual(expected))

  test('terminating shows while it is being deleted', () => {
    expect(row({ phase: 'Running', containerStatuses: [running] }, object => void (object.metadata.deletionTimestamp = '2026-11-20T11:59:00Z'))).toEqual(['1/1', 'Terminating', '0'])
  })
})

describe('Deployment and ReplicaSet', () => {
  test('are filled in', () => {
    const { object } = deployments.create(workload())
    expect(specOf(object)).toMatchObject({
      replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      template: { spec: { restartPolicy: 'Always', containers: [{ terminationMessagePath: '/dev/termination-log', resources: {} }] } },
    })
    expect(replicaSets.create(workload({ replicas: 3 })).object['status']).toEqual({ replicas: 0 })
    expect(specOf(deployments.create(workload({ strategy: { type: 'Recreate' } })).object)['strategy']).toEqual({ type: 'Recreate' })
    expect(specOf(deployments.create(workload({ replicas: 0 })).object)['replicas']).toBe(0)
  })

  test.each([
    [{ selector: undefined }, 'spec.selector: Required value'],
    [{ selector: {} }, 'spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    [{ selector: { matchLabels: { app: 'other' } } }, 'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
    [{ selector: { matchExpressions: [{ key: 'app', operator: 'Like' }] } }, 'spec.selector.matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator'],
    [{ selector: undefined }, 'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
    [{ strategy: { type: 'Magic' } }, 'spec.strategy: Unsupported value: {"Type":"Magic","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"'],
    [{ strategy: { rollingUpdate: { maxUnavailable: '200%' } } }, 'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 200%: must not be greater than 100%'],
    [{ strategy: { rollingUpdate: { maxSurge: 'many' } } }, expect.stringContaining("spec.strategy.rollingUpdate.maxSurge: Invalid value: many: a valid percent string must be a numeric string followed by an ending '%'")],
    [{ replicas: -1 }, 'spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    [{ minReadySeconds: 700 }, 'spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds'],
    [{ strategy: { type: 'Recreate', rollingUpdate: {} } }, "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    [{ strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } } }, 'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0'],
    [
      { template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container], restartPolicy: 'Never' } } },
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ],
  ])('%j is refused', (given, expected) => expect(lines(deployments.create(workload(given)).causes)).toContainEqual(expected))

  test('a selector can not be changed', () => {
    const { object } = deployments.create(workload())
    const { causes } = deployments.update(object, setSpec('selector', { matchLabels: { app: 'web', tier: 'x' } }))
    expect(lines(causes)).toContain('spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"x"}}: field is immutable')
    expect(deployments.update(object, setSpec('replicas', 5)).causes).toEqual([])
  })

  test('are printed with their selector', () => {
    const selector = { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['b', 'a'] }, { key: 'app', operator: 'Exists' }] }
    const { object } = deployments.create(workload({ selector, replicas: 4 }))
    object['status'] = { readyReplicas: 2, updatedReplicas: 4, availableReplicas: 1 }
    expect(deployments.kind.row(object, NOW)).toEqual(['x', '2/4', 4, 1, '60m', 'web', 'nginx:1.17.1', 'app,app=web,tier notin (a,b)'])
  })
})
