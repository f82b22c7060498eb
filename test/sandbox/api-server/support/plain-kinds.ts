// Small kinds for tests of the API server's core: what the core does must not depend on real kinds.
import type { Kind, KubeObject, Schema } from '../../../../src/sandbox/api-server/kind.ts'
import type { SchemaTable } from '../../../../src/sandbox/api-server/schema-walk.ts'

const meta: Schema = { $ref: '#/components/schemas/Meta', default: {} }
const text: Schema = { type: 'string' }

export const plainSchemas: SchemaTable = {
  Meta: {
    type: 'object',
    properties: {
      name: text, namespace: text, generateName: text, uid: text, resourceVersion: text, creationTimestamp: text,
      labels: { type: 'object', additionalProperties: text },
      annotations: { type: 'object', additionalProperties: text },
      finalizers: { type: 'array', items: text, 'x-kubernetes-list-type': 'set', 'x-kubernetes-patch-strategy': 'merge' },
      ownerReferences: {
        type: 'array', items: { type: 'object', 'x-kubernetes-map-type': 'atomic' }, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['uid'],
        'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-patch-merge-key': 'uid',
      },
    },
  },
  Widget: { type: 'object', properties: { apiVersion: text, kind: text, metadata: meta, spec: { $ref: '#/components/schemas/WidgetSpec', default: {} }, status: { type: 'object', properties: { phase: text }, default: {} } } },
  WidgetSpec: {
    type: 'object',
    properties: {
      size: { type: 'integer', format: 'int32' },
      color: text,
      selector: { type: 'object', additionalProperties: text, 'x-kubernetes-map-type': 'atomic' },
      tags: { type: 'array', items: text, 'x-kubernetes-list-type': 'set', 'x-kubernetes-patch-strategy': 'merge' },
      rules: { type: 'array', items: text, 'x-kubernetes-list-type': 'atomic' },
      ports: {
        type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['port', 'protocol'], 'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-patch-merge-key': 'port',
        items: { type: 'object', properties: { name: text, port: { type: 'integer' }, protocol: { ...text, default: 'TCP' }, target: text } },
      },
      strategy: { type: 'object', properties: { type: text, rolling: { type: 'object', properties: { surge: text } } }, 'x-kubernetes-patch-strategy': 'retainKeys' },
    },
  },
  Namespace: { type: 'object', properties: { apiVersion: text, kind: text, metadata: meta, spec: { type: 'object', properties: { finalizers: { type: 'array', items: text, 'x-kubernetes-list-type': 'atomic' } } }, status: { type: 'object', properties: { phase: text } } } },
}

function nothing(): void {
  // These kinds have no defaults.
}

export const namespaces: Kind = {
  group: '', version: 'v1', kind: 'Namespace', resource: 'namespaces', singular: 'namespace', shortNames: ['ns'], categories: [], namespaced: false,
  subresources: ['status'], schemaName: 'Namespace', generation: false, defaults: nothing, validate: () => [], columns: [], row: () => [], fields: {},
  prepareForCreate(draft) {
    draft['spec'] = { finalizers: ['kubernetes'] }
    draft['status'] = { phase: 'Active' }
  },
}

function specOf(object: KubeObject): Record<string, unknown> {
  const spec = object['spec']
  return typeof spec === 'object' && spec !== null ? { ...spec } : {}
}

export const widgets: Kind = {
  group: 'test.example.com', version: 'v1', kind: 'Widget', resource: 'widgets', singular: 'widget', shortNames: ['w'], categories: ['all'], namespaced: true,
  subresources: ['status', 'scale'], schemaName: 'Widget', generation: true,
  defaults(draft) {
    draft['spec'] = { color: 'grey', ...specOf(draft) }
  },
  validate: (object) => (specOf(object)['size'] === -1 ? [{ reason: 'FieldValueInvalid', message: 'Invalid value: -1: must not be negative', field: 'spec.size' }] : []),
  columns: [
    { name: 'Name', type: 'string', format: 'name', description: 'Name', priority: 0 },
    { name: 'Size', type: 'integer', format: '', description: 'Size', priority: 0 },
  ],
  row: (object) => [object.metadata.name, Number(specOf(object)['size'] ?? 0)],
  fields: { 'spec.color': (object) => String(specOf(object)['color'] ?? '') },
}

/** Deleted with a grace period, like pods. */
export const slowWidgets: Kind = { ...widgets, kind: 'SlowWidget', resource: 'slowwidgets', singular: 'slowwidget', shortNames: [], gracePeriod: (_, requested) => requested ?? 30 }
