// Event: one storage under two groups, core v1 and events.k8s.io/v1, whose fields have other names.
import type { Cause, Kind, KubeObject } from '../kind.ts'
import { invalid } from './cause.ts'
import { NAME, column, sinceCell } from './column.ts'
import { validateMetadata } from './metadata.ts'
import { dns1123Subdomain } from './names.ts'
import { describe } from '../schemas/table.ts'

interface EventParts {
  involvedObject?: { kind?: string; namespace?: string; name?: string; uid?: string; apiVersion?: string; resourceVersion?: string; fieldPath?: string }
  reason?: string
  message?: string
  source?: { component?: string; host?: string }
  firstTimestamp?: string | null
  lastTimestamp?: string | null
  eventTime?: string | null
  count?: number
  type?: string
  series?: { count?: number; lastObservedTime?: string }
  reportingComponent?: string
  reportingInstance?: string
}

function parts(object: KubeObject): EventParts {
  return object as EventParts & KubeObject
}

function validate(object: KubeObject, old: KubeObject | undefined): Cause[] {
  const causes = validateMetadata(object, old, true, dns1123Subdomain)
  const involved = parts(object).involvedObject?.namespace ?? ''
  const { namespace = '' } = object.metadata
  if (involved === '' ? namespace !== '' && namespace !== 'default' : namespace !== involved) {
    causes.push(invalid('involvedObject.namespace', involved, 'does not match event.namespace'))
  }
  return causes
}

function sourceCell({ source, reportingComponent, reportingInstance }: EventParts): string {
  const component = source?.component || reportingComponent || ''
  const host = source?.host || reportingInstance || ''
  return host === '' ? component : `${component}, ${host}`
}

function row(object: KubeObject, now: Date): (string | number)[] {
  const event = parts(object)
  const first = sinceCell(event.firstTimestamp ?? event.eventTime ?? undefined, now)
  const last = event.series === undefined ? (event.lastTimestamp ? sinceCell(event.lastTimestamp, now) : first) : sinceCell(event.series.lastObservedTime, now)
  const involved = event.involvedObject ?? {}
  const kind = (involved.kind ?? '').toLowerCase()
  return [
    last, event.type ?? '', event.reason ?? '', involved.name ? `${kind}/${involved.name}` : kind, involved.fieldPath ?? '', sourceCell(event),
    (event.message ?? '').trim(), first, event.series?.count ?? (event.count || 1), object.metadata.name,
  ]
}

/** Core field to events.k8s.io field; all others have one name. */
const RENAMED: readonly (readonly [string, string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
]

function rename(object: KubeObject, apiVersion: string, pairs: readonly (readonly [string, string])[]): KubeObject {
  const names = new Map(pairs)
  return Object.fromEntries(Object.entries({ ...object, apiVersion }).map(([field, value]) => [names.get(field) ?? field, value])) as KubeObject
}

const INVOLVED = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const
const EVENT = 'core.v1.Event'

export const eventKind: Kind = {
  group: '', version: 'v1', kind: 'Event', resource: 'events', singular: 'event', shortNames: ['ev'], categories: [],
  namespaced: true, subresources: [], schemaName: 'io.k8s.api.core.v1.Event', generation: false,
  legacy: [
    {
      group: 'events.k8s.io', version: 'v1', schemaName: 'io.k8s.api.events.v1.Event',
      toCurrent: object => rename(object, 'v1', RENAMED.map(([core, events]) => [events, core] as const)),
      fromCurrent: object => rename(object, 'events.k8s.io/v1', RENAMED),
      fieldLabels: { ...Object.fromEntries(INVOLVED.map(name => [`regarding.${name}`, `involvedObject.${name}`])), reportingController: 'reportingComponent' },
    },
  ],
  defaults(draft) {
    const event = parts(draft)
    event.involvedObject ??= {}
    event.source ??= {}
    event.firstTimestamp ??= null
    event.lastTimestamp ??= null
    event.eventTime ??= null
    event.reportingComponent ??= event.source.component ?? ''
    event.reportingInstance ??= event.source.host ?? ''
  },
  validate,
  columns: [
    column('Last Seen', describe(EVENT, 'lastTimestamp')),
    column('Type', describe(EVENT, 'type')),
    column('Reason', describe(EVENT, 'reason')),
    column('Object', describe(EVENT, 'involvedObject')),
    column('Subobject', describe('core.v1.ObjectReference', 'fieldPath'), { priority: 1 }),
    column('Source', describe(EVENT, 'source'), { priority: 1 }),
    column('Message', describe(EVENT, 'message')),
    column('First Seen', describe(EVENT, 'firstTimestamp'), { priority: 1 }),
    column('Count', describe(EVENT, 'count'), { priority: 1 }),
    { ...NAME, priority: 1 },
  ],
  row,
  fields: {
    ...Object.fromEntries(INVOLVED.map(name => [`involvedObject.${name}`, (object: KubeObject) => parts(object).involvedObject?.[name] ?? ''])),
    reason: object => parts(object).reason ?? '',
    reportingComponent: object => parts(object).reportingComponent ?? '',
    source: object => parts(object).source?.component || parts(object).reportingComponent || '',
    type: object => parts(object).type ?? '',
  },
}
