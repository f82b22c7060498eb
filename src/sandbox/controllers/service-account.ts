// Every namespace has a ServiceAccount `default` and a ConfigMap `kube-root-ca.crt` (empty: the sandbox API speaks plain HTTP).
import { isApiError, runController, splitKey, type ControllerContext, type Running } from './controller.ts'

const ROOT_CA = 'kube-root-ca.crt'
const MANAGER = { fieldManager: 'kube-controller-manager' } as const

export function runServiceAccountController(context: ControllerContext, rootCertificates = ''): Running {
  const { registry } = context

  const reconcile = (key: string): void => {
    const { name: namespace } = splitKey(key)
    const found = registry.get('namespaces', '', namespace)
    if (!found || found.metadata.deletionTimestamp !== undefined) return
    if (!registry.get('serviceaccounts', namespace, 'default')) {
      create('serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } })
    }
    if (!registry.get('configmaps', namespace, ROOT_CA)) {
      create('configmaps', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: ROOT_CA,
          namespace,
          annotations: { 'kubernetes.io/description': 'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.' },
        },
        data: { 'ca.crt': rootCertificates },
      })
    }
  }

  const create = (resource: string, object: unknown): void => {
    try {
      registry.create(resource, object, MANAGER)
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists')) throw error
    }
  }

  return runController(context, {
    name: 'serviceaccount-controller',
    sources: [
      { resource: 'namespaces', keys: (object) => [`/${object.metadata.name}`] },
      { resource: 'serviceaccounts', keys: (object, type) => (type === 'DELETED' ? [`/${object.metadata.namespace ?? ''}`] : []) },
      { resource: 'configmaps', keys: (object, type) => (type === 'DELETED' && object.metadata.name === ROOT_CA ? [`/${object.metadata.namespace ?? ''}`] : []) },
    ],
    reconcile,
  })
}
