// Writes src/sandbox/api-server/schemas/types.json from the models of the installed @kubernetes/client-node:
// field names, types, what is required, descriptions. Run `node scripts/generate-schemas.ts` after client-node is updated.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

interface Attribute {
  readonly name: string
  readonly baseName: string
  readonly type: string
  readonly format: string
}

interface ModelClass {
  getAttributeTypeMap(): readonly Attribute[]
}

interface CompactType {
  description: string
  /** Field to [type, description]; a type that ends in `!` is required. */
  fields: Record<string, string[]>
}

const ROOTS = [
  'V1Namespace', 'V1Node', 'V1Pod', 'V1Service', 'V1Endpoints', 'V1EndpointSlice', 'V1Secret', 'V1ConfigMap', 'V1ServiceAccount', 'CoreV1Event', 'EventsV1Event',
  'V1Deployment', 'V1ReplicaSet', 'V1Ingress', 'V1IngressClass', 'V1Lease', 'V1Scale', 'V1Status', 'V1DeleteOptions', 'V1SelfSubjectAccessReview',
  'V1Role', 'V1RoleBinding', 'V1ClusterRole', 'V1ClusterRoleBinding',
]

/** Which group a model belongs to; whatever no pattern names is core. The class names do not say it. */
const GROUPS: readonly (readonly [RegExp, string])[] = [
  [/^V1(ObjectMeta|OwnerReference|ManagedFieldsEntry|LabelSelector|LabelSelectorRequirement|FieldSelectorRequirement|Condition|ListMeta|ShardInfo|Status|StatusDetails|StatusCause|DeleteOptions|Preconditions)$/, 'meta.v1'],
  [/^V1(Deployment|ReplicaSet|RollingUpdateDeployment)/, 'apps.v1'],
  [/^V1(Ingress|HTTPIngress|ServiceBackendPort)/, 'networking.v1'],
  [/^(V1Endpoint(Slice|Conditions|Hints)?|V1For(Zone|Node)|DiscoveryV1EndpointPort)$/, 'discovery.v1'],
  [/^EventsV1/, 'events.v1'],
  [/^V1Lease/, 'coordination.v1'],
  [/^V1Scale(Spec|Status)?$/, 'autoscaling.v1'],
  [/^(V1(Role|ClusterRole|PolicyRule|AggregationRule)|RbacV1)/, 'rbac.v1'],
  [/^V1(SelfSubjectAccessReview|SubjectAccessReviewStatus|ResourceAttributes|NonResourceAttributes|LabelSelectorAttributes|FieldSelectorAttributes)/, 'authorization.v1'],
]

/** The models type quantities as plain strings. */
const QUANTITIES = new Set([
  'core.v1.ResourceRequirements.limits', 'core.v1.ResourceRequirements.requests', 'core.v1.VolumeResourceRequirements.limits', 'core.v1.VolumeResourceRequirements.requests',
  'core.v1.PodSpec.overhead', 'core.v1.NodeStatus.capacity', 'core.v1.NodeStatus.allocatable', 'core.v1.ContainerStatus.allocatedResources', 'core.v1.PodStatus.allocatedResources',
  'core.v1.EmptyDirVolumeSource.sizeLimit', 'core.v1.ResourceFieldSelector.divisor',
])

/** Two spaces that are two spaces (everywhere else they stand for an empty line). */
const SPACED = new Set(['core.v1.ServiceSpec.clusterIP', 'core.v1.ServiceSpec.externalIPs'])

/** Descriptions whose line breaks matter to what `kubectl explain` prints. */
const BROKEN_LINES: Readonly<Record<string, (text: string) => string>> = {
  'networking.v1.IngressRule.host': text =>
    text.replace('Ingress. 2. The', 'Ingress.\n2. The').replace('allowed.\n   Currently', 'allowed.\n\t  Currently').replace('http and\n   :443', 'http and\n\t  :443').replace('https. Both', 'https.\nBoth'),
}

const models = dirname(createRequire(import.meta.url).resolve('@kubernetes/client-node')) + '/gen/models'
const classes = (await import(join(models, 'all.js'))) as Record<string, ModelClass | undefined>

function schemaName(model: string): string {
  const group = GROUPS.find(([pattern]) => pattern.test(model))?.[1] ?? 'core.v1'
  return `${group}.${model.replace(/^(CoreV1|EventsV1|DiscoveryV1|RbacV1|V1)/, '')}`
}

/** A field of one of these types has the type's comment where its own should be. */
const TYPE_COMMENT = /^(IntOrString|MicroTime|Quantity) is /

/** The models' comments have lost the line breaks: two spaces stand for an empty line where a sentence ended, three or more for an indented line. */
function text(comment: string, path: string): string {
  const plain = comment.replaceAll(/\\(["'\\])/g, '$1')
  if (SPACED.has(path)) return plain
  const lines = plain.replaceAll(/ {3,}/g, match => '\n' + match.slice(1)).replaceAll(/([.:)]) {2}(?=\S)/g, '$1\n\n').trim()
  return BROKEN_LINES[path]?.(lines) ?? lines
}

function typeOf(attribute: Attribute, path: string, follow: (model: string) => void): string {
  let type = attribute.type
  let prefix = ''
  for (;;) {
    const inner = /^Array<(.*)>$/.exec(type) ?? /^\{ \[key: string\]: (.*); \}$/.exec(type)
    if (inner?.[1] === undefined) break
    prefix += type.startsWith('Array') ? '[]' : '{}'
    type = inner[1]
  }
  if (QUANTITIES.has(path)) return prefix + 'quantity'
  if (classes[type] !== undefined) {
    follow(type)
    return prefix + schemaName(type)
  }
  switch (type) {
    case 'string':
      return prefix + (attribute.format === 'byte' ? 'byte' : 'string')
    case 'boolean':
      return prefix + 'boolean'
    case 'number':
      return prefix + (attribute.format || 'double')
    case 'Date':
      return prefix + 'date-time'
    case 'V1MicroTime':
      return prefix + 'micro-time'
    case 'IntOrString':
      return prefix + 'int-or-string'
    case 'any':
      return prefix + 'object'
    default:
      throw new Error(`${path}: unknown type ${attribute.type}`)
  }
}

function declarations(model: string, typeName: string): { description: string; fields: Map<string, { required: boolean; description: string }> } {
  const source = readFileSync(join(models, `${model}.d.ts`), 'utf8')
  const head = /\/\*\*\n\* ((?:(?!\*\/)[\s\S])*?)\n\*\/\nexport declare class/.exec(source)
  const fields = new Map<string, { required: boolean; description: string }>()
  for (const [, comment, name, optional] of source.matchAll(/(?: {4}\/\*\*\n {4}\* (.*)\n {4}\*\/\n)? {4}'(\w+|\$\w+)'(\?)?:/g)) {
    fields.set(name ?? '', { required: optional === undefined, description: text(comment ?? '', `${typeName}.${name}`) })
  }
  return { description: text(head?.[1] ?? '', typeName), fields }
}

const types: Record<string, CompactType> = {}
const queue = [...ROOTS]
for (let model = queue.pop(); model !== undefined; model = queue.pop()) {
  const name = schemaName(model)
  if (types[name] !== undefined) continue
  const declared = declarations(model, name)
  const type: CompactType = { description: declared.description, fields: {} }
  types[name] = type
  for (const attribute of classes[model]?.getAttributeTypeMap() ?? []) {
    const about = declared.fields.get(attribute.name)
    if (about === undefined) throw new Error(`${model}.${attribute.name} has no declaration`)
    const field = typeOf(attribute, `${name}.${attribute.baseName}`, next => queue.push(next)) + (about.required ? '!' : '')
    type.fields[attribute.baseName] = about.description === '' || TYPE_COMMENT.test(about.description) ? [field] : [field, about.description]
  }
}

const sorted = Object.keys(types).sort().map(name => `${JSON.stringify(name)}: ${JSON.stringify(types[name])}`)
const target = new URL('../src/sandbox/api-server/schemas/types.json', import.meta.url)
writeFileSync(target, `{\n${sorted.join(',\n')}\n}\n`)
console.log(`${sorted.length} types written to ${target.pathname}`)
