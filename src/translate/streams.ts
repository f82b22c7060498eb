// Step: TCP and UDP services. Each entry of the two ConfigMaps becomes a port to listen on and a backend; a bad one is reported
// on its ConfigMap, and the others are served.
import { reuse } from '../base/reuse.ts'
import type { ConfigMap, Service, ServicePort } from '../kube/objects.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { ObjectRef } from '../model/object-ref.ts'
import type { Stream } from '../model/routing.ts'
import { targetOf } from './backends.ts'
import type { Draft, Target, View } from './draft.ts'
import { remember, reuseEntries, sameMap } from './memory.ts'
import type { TranslateOptions } from './options.ts'
import { error, quote, warning } from './report.ts'
import { parseStreamEntry, type StreamEntry } from './stream-entry.ts'

type Protocol = Stream['protocol']

export function streams(view: View, draft: Draft): void {
  const { services, configMaps } = view.state
  const { options } = view
  if (options.tcpServices === undefined && options.udpServices === undefined) return
  const made = remember(view.memo.streams, [configMaps, services, options], (before) => {
    const streams = new Map<string, Stream>()
    const targets = new Map<string, Target>()
    const diagnostics: Diagnostic[] = []
    for (const [protocol, key] of [['TCP', options.tcpServices], ['UDP', options.udpServices]] as const) {
      if (key !== undefined) readConfigMap(configMaps.get(key), { protocol, key, services, options, streams, targets, diagnostics })
    }
    return { streams: reuseEntries(before?.streams, streams), targets: reuseEntries(before?.targets, targets), diagnostics: reuse(before?.diagnostics, diagnostics) }
  })
  draft.streams = made.streams
  draft.targets = remember(view.memo.streamTargets, [draft.targets, made.targets], (before) => sameMap(before, new Map([...made.targets, ...draft.targets])))
  draft.diagnostics.push(made.diagnostics)
}

interface Reading {
  readonly protocol: Protocol
  /** `namespace/name` of the ConfigMap. */
  readonly key: string
  readonly services: ReadonlyMap<string, Service>
  readonly options: TranslateOptions
  readonly streams: Map<string, Stream>
  readonly targets: Map<string, Target>
  readonly diagnostics: Diagnostic[]
}

function readConfigMap(configMap: ConfigMap | undefined, reading: Reading): void {
  const { protocol, key, diagnostics } = reading
  if (configMap === undefined || configMap.meta.deleting) {
    const [namespace = '', name = ''] = key.split('/')
    const object: ObjectRef = { kind: 'ConfigMap', apiVersion: 'v1', namespace, name }
    const field = `--${protocol.toLowerCase()}-services-configmap`
    diagnostics.push(warning('ConfigMapNotFound', object, { field, message: `There is no ConfigMap ${quote(key)}; no ${protocol} service is served.`, fix: 'Create it or correct the option.' }))
    return
  }
  const { namespace, name, uid } = configMap.meta
  const object: ObjectRef = { kind: 'ConfigMap', apiVersion: 'v1', namespace, name, ...(uid !== '' && { uid }) }
  for (const [entryKey, value] of Object.entries(configMap.data)) readEntry(entryKey, value, object, reading)
}

function readEntry(key: string, value: string, object: ObjectRef, { protocol, services, options, streams, targets, diagnostics }: Reading): void {
  const field = `data[${key}]`
  const report = (reason: 'StreamInvalid' | 'ServiceNotFound' | 'ServicePortNotFound' | 'ExternalNameInvalid', what: string, fix: string): void => {
    diagnostics.push(error(reason, object, { field, message: `${quote(`${key}: ${value}`)}: ${what}; nothing listens for it.`, fix }))
  }
  const entry = parseStreamEntry(key, value)
  if ('wrong' in entry) return report('StreamInvalid', entry.wrong, entry.fix)
  if (options.reservedPorts.includes(entry.port)) return report('StreamInvalid', `port ${entry.port} is one that Narthex listens on itself`, 'Use another port as the key.')
  const service = services.get(`${entry.namespace}/${entry.service}`)
  if (service === undefined || service.meta.deleting) {
    return report('ServiceNotFound', `there is no Service ${quote(`${entry.namespace}/${entry.service}`)} in the namespaces that are watched`, 'Create it or correct the value.')
  }
  const port = portOf(service, entry, protocol)
  if (port === undefined) {
    const known = service.ports.filter((each) => each.protocol === protocol).map((each) => (each.name === '' ? String(each.port) : `${each.port} (${each.name})`))
    const fix = known.length === 0 ? `Add a ${protocol} port to the Service.` : `Name one of its ports: ${known.slice(0, 8).join(', ')}.`
    return report('ServicePortNotFound', `the Service has no ${protocol} port ${entry.servicePort}`, fix)
  }
  const { target: usual } = targetOf(service, port, options)
  if (usual === undefined) return report('ExternalNameInvalid', `the external name ${quote(service.externalName)} is not one that can be connected to`, 'Set spec.externalName of the Service to a DNS name outside this machine.')
  if (protocol === 'UDP' && (entry.proxyIn || entry.proxyOut)) {
    diagnostics.push(warning('StreamInvalid', object, { field, message: `${quote(`${key}: ${value}`)}: the PROXY protocol is for TCP; it is served without.`, fix: 'Remove :PROXY.' }))
  }
  const target: Target = protocol === 'TCP' ? usual : { ...usual, id: `${usual.id}/udp`, protocol }
  const id = `${protocol.toLowerCase()}/${entry.port}`
  targets.set(target.id, target)
  const proxy = { proxyIn: protocol === 'TCP' && entry.proxyIn, proxyOut: protocol === 'TCP' && entry.proxyOut }
  streams.set(id, { id, protocol, port: entry.port, backend: target.id, ...proxy, source: { object, field } })
}

function portOf(service: Service, { servicePort }: StreamEntry, protocol: Protocol): ServicePort | undefined {
  const ports = service.ports.filter((port) => port.protocol === protocol)
  const found = ports.find((port) => (typeof servicePort === 'number' ? port.port === servicePort : port.name === servicePort))
  if (found !== undefined || service.type !== 'ExternalName' || typeof servicePort !== 'number' || ports.length > 0) return found
  // An external name may do without ports.
  return { name: '', port: servicePort, targetPort: servicePort, nodePort: undefined, protocol, appProtocol: undefined }
}
