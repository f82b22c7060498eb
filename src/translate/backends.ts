// Step 3: which Service port each backend reference means. Endpoints come later, so that a change of theirs touches nothing here.
import { isIP } from 'node:net'
import { reuse } from '../base/reuse.ts'
import type { Service, ServicePort } from '../kube/objects.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { ObjectRef } from '../model/object-ref.ts'
import { chooseProtocol } from './backend-protocol.ts'
import type { BackendSecret } from './backend-secrets.ts'
import { NO_BALANCING, type Balancing } from './balancing.ts'
import type { TrafficPolicy } from './choose-endpoints.ts'
import type { BackendReference, Draft, Outcome, Resolution, Target, TranslateMemo, View } from './draft.ts'
import { isSpecialAddress, parseExternalName } from './external-name.ts'
import { remember, sameMap } from './memory.ts'
import type { TranslateOptions } from './options.ts'
import { error, quote, warning, type Finding } from './report.ts'
import { balancingDiagnostics, effectiveBalancing } from './service-balancing.ts'

export function backends(view: View, draft: Draft): void {
  const { services } = view.state
  const { options } = view
  const { resolutions, targets, defaultBackend, diagnostics } = remember(view.memo.backends, [draft.ingresses, services, options, draft.backendSecrets], (before) => {
    const { outcomes: kept } = view.memo
    const resolutions = new Map<string, Resolution>()
    const targets = new Map<string, Target>()
    const diagnostics: Diagnostic[] = []
    const reports = new Map<string, NonNullable<Outcome['report']>>()
    for (const ingress of draft.ingresses) {
      for (const reference of ingress.references) {
        if (!resolutions.has(reference.key)) {
          const { resolution, target, report } = lookUp(reference, services, options, draft.backendSecrets, kept)
          resolutions.set(reference.key, resolution)
          if (target !== undefined) targets.set(target.id, targets.get(target.id) ?? target)
          if (report !== undefined) reports.set(reference.key, report)
        }
        const report = reports.size > 0 ? reports.get(reference.key) : undefined
        if (report !== undefined) diagnostics.push(report(ingress.object, reference.field))
      }
    }
    for (const key of kept.keys()) if (!resolutions.has(key)) kept.delete(key)
    const defaultBackend = resolveDefault(services, options, targets, before?.targets, diagnostics)
    diagnostics.push(...balancingDiagnostics(servicesOf(targets, services)))
    return { resolutions: sameMap(before?.resolutions, resolutions), targets: sameMap(before?.targets, targets), defaultBackend, diagnostics }
  })
  Object.assign(draft, { resolutions, targets, defaultBackend })
  draft.diagnostics.push(diagnostics)
}

function servicesOf(targets: ReadonlyMap<string, Target>, services: ReadonlyMap<string, Service>): ReadonlySet<Service> {
  return new Set([...targets.values()].flatMap(({ serviceKey }) => services.get(serviceKey) ?? []))
}

/** The outcome of before while the Service is the same; equal parts of it are the same even when the Service is not. */
function lookUp(reference: BackendReference, services: ReadonlyMap<string, Service>, options: TranslateOptions, secrets: Draft['backendSecrets'], kept: TranslateMemo['outcomes']): Outcome {
  const service = reference.serviceKey === undefined ? undefined : services.get(reference.serviceKey)
  const named = reference.balancing.protocol?.tls?.secret
  const secret = named === undefined ? undefined : secrets.get(named)
  const before = kept.get(reference.key)
  if (before !== undefined && before.service === service && before.secret === secret && before.options === options) return before.outcome
  const made = resolve(reference, service, secret, options)
  const outcome = { ...made, resolution: reuse(before?.outcome.resolution, made.resolution), ...(made.target !== undefined && { target: reuse(before?.outcome.target, made.target) }) }
  kept.set(reference.key, { service, secret, options, outcome })
  return outcome
}

function resolve(reference: BackendReference, service: Service | undefined, secret: BackendSecret | undefined, options: TranslateOptions): Outcome {
  const { service: named, resource } = reference.backend
  if (named === undefined) {
    if (resource !== undefined) return resourceBackend(resource.kind, resource.name)
    return unusable('ServiceNotFound', '', () => ({ message: 'The backend names no Service; requests for it are answered with 503.', fix: 'Set service.name and service.port.' }))
  }
  if (service === undefined || service.meta.deleting) {
    return unusable('ServiceNotFound', '.service.name', () => ({
      message: `There is no Service ${quote(named.name)} in namespace ${quote(reference.namespace)}; requests for it are answered with 503.`,
      fix: `Create the Service ${reference.serviceKey ?? named.name} or correct the name.`,
    }))
  }
  return resolvePort(service, named.port, { balancing: reference.balancing, secret }, options)
}

function resourceBackend(kind: string, name: string): Outcome {
  return {
    resolution: { backend: undefined, status: 404 },
    report: (object, field) =>
      error('ResourceBackendUnsupported', object, {
        field: `${field}.resource`,
        message: `The backend is the resource ${quote(`${kind}/${name}`)}, and Narthex serves Services only; requests for it are answered with 404.`,
        fix: 'Name a Service instead.',
      }),
  }
}

function unusable(reason: 'ServiceNotFound' | 'ServicePortNotFound' | 'ExternalNameInvalid', below: string, finding: () => Omit<Finding, 'field'>): Outcome {
  return { resolution: { backend: undefined, status: 503 }, report: (object, field) => error(reason, object, { field: `${field}${below}`, ...finding() }) }
}

function resolvePort(service: Service, wanted: number | string, asked: Asked, options: TranslateOptions): Outcome {
  const tcp = service.ports.filter((port) => port.protocol === 'TCP')
  const found = tcp.find((port) => (typeof wanted === 'number' ? port.port === wanted : port.name === wanted && wanted !== ''))
  const external = service.type === 'ExternalName'
  if (found !== undefined) return targetOf(service, found, options, asked)
  // An ExternalName Service may do without ports: the Ingress' number is all there is to know.
  if (external && typeof wanted === 'number' && tcp.length === 0) {
    return targetOf(service, { name: '', port: wanted, targetPort: wanted, nodePort: undefined, protocol: 'TCP', appProtocol: undefined }, options, asked)
  }
  // ingress-nginx takes the target port as well, and manifests that rely on it are about.
  const byTarget = wanted === '' ? undefined : tcp.find((port) => port.targetPort === wanted)
  const key = `${service.meta.namespace}/${service.meta.name}`
  const below = typeof wanted === 'number' ? '.service.port.number' : wanted === '' ? '.service.port' : '.service.port.name'
  const shown = typeof wanted === 'number' ? `port ${wanted}` : `port named ${quote(wanted)}`
  if (byTarget !== undefined) {
    return {
      ...targetOf(service, byTarget, options, asked),
      report: (object, field) =>
        warning('ServicePortNotFound', object, {
          field: field + below,
          message: `Service ${key} has no ${shown}, but its port ${byTarget.port} has that as target port and is used.`,
          fix: `Name port ${byTarget.port}.`,
        }),
    }
  }
  return unusable('ServicePortNotFound', below, () => ({
    message: `${wanted === '' ? 'The backend names no port' : `Service ${key} has no ${shown}`}; requests for it are answered with 503.`,
    fix: tcp.length === 0 ? `Add the port to Service ${key}.` : `Name one of its ports: ${tcp.slice(0, 8).map(showPort).join(', ')}.`,
  }))
}

function showPort(port: ServicePort): string {
  return port.name === '' ? String(port.port) : `${port.port} (${port.name})`
}

/** What an Ingress asks of its backends, with what it needs for that. */
interface Asked {
  readonly balancing: Balancing
  readonly secret: BackendSecret | undefined
}

const NOTHING_ASKED: Asked = Object.freeze({ balancing: NO_BALANCING, secret: undefined })

/** The target of one port of a Service, or what keeps it from being one. */
export function targetOf(service: Service, port: ServicePort, options: TranslateOptions, asked: Asked = NOTHING_ASKED): Outcome {
  const { namespace, name } = service.meta
  const { balancing, suffix } = effectiveBalancing(service, asked.balancing, options.scheduler)
  const dnsName = service.type === 'ExternalName' ? service.externalName.toLowerCase().replace(/\.$/, '') : `${name}.${namespace}.svc`
  const choice = chooseProtocol(asked.balancing.protocol, port.appProtocol, dnsName, asked.secret)
  // Why not, a diagnostic of the Secret says.
  if (choice === undefined) return { resolution: { backend: undefined, status: 503 } }
  const id = `${namespace}/${name}:${port.port}${suffix}${choice.suffix}`
  const target: Target = { id, namespace, service: name, serviceKey: `${namespace}/${name}`, port: port.port, portName: port.name, external: undefined, clusterIP: undefined, balancing, policy: policyOf(service), affinitySeconds: service.affinitySeconds, serviceUid: service.meta.uid, speaks: choice.protocol }
  if (service.type !== 'ExternalName') return balancing.clusterIP === true ? viaClusterIP(service, target, options) : { resolution: { backend: id }, target }
  const parsed = parseExternalName(service.externalName, options.allowLoopback)
  if ('wrong' in parsed) {
    return unusable('ExternalNameInvalid', '.service.name', () => ({
      message: `The external name ${quote(service.externalName)} of Service ${namespace}/${name} ${parsed.wrong}; requests for it are answered with 503.`,
      fix: 'Set spec.externalName of the Service to a DNS name outside this machine.',
    }))
  }
  const portOutside = typeof port.targetPort === 'number' ? port.targetPort : port.port
  return { resolution: { backend: id }, target: { ...target, external: { name: parsed.name, port: portOutside } } }
}

/** service-upstream. As ingress-nginx does, its endpoints are used where the Service has no address. */
function viaClusterIP(service: Service, target: Target, options: TranslateOptions): Outcome {
  const [clusterIP = 'None'] = service.clusterIPs
  const resolution = { backend: target.id }
  if (isIP(clusterIP) !== 0 && (options.allowLoopback || !isSpecialAddress(clusterIP))) return { resolution, target: { ...target, clusterIP } }
  return {
    resolution,
    target,
    report: (object, field) =>
      warning('AnnotationInvalid', object, {
        field: `${field}.service.name`,
        message: `service-upstream asks for the ClusterIP of Service ${target.serviceKey}, which has none that can be used; its endpoints are used.`,
        fix: 'Remove the annotation service-upstream, or give the Service a ClusterIP.',
      }),
  }
}

/** A headless Service has no ClusterIP, which is what internalTrafficPolicy is about. */
function policyOf({ nodeLocal, prefers, clusterIPs }: Service): TrafficPolicy {
  return { nodeLocal: nodeLocal && clusterIPs[0] !== 'None', prefers }
}

/** The controller's own default backend: the first TCP port of its Service. */
function resolveDefault(services: ReadonlyMap<string, Service>, options: TranslateOptions, targets: Map<string, Target>, before: ReadonlyMap<string, Target> | undefined, diagnostics: Diagnostic[]): string | undefined {
  const named = options.defaultBackendService
  if (named === undefined) return undefined
  const [namespace = '', name = ''] = named.split('/')
  const object: ObjectRef = { kind: 'Service', apiVersion: 'v1', namespace, name }
  const service = services.get(named)
  const port = service?.ports.find((port) => port.protocol === 'TCP')
  const field = '--default-backend-service'
  if (service === undefined) {
    diagnostics.push(error('ServiceNotFound', object, { field, message: `There is no Service ${quote(named)}; requests that no rule takes are answered with the built-in 404.`, fix: 'Create it or correct the option.' }))
    return undefined
  }
  if (port === undefined) {
    diagnostics.push(error('ServicePortNotFound', object, { field, message: `Service ${quote(named)} has no TCP port; requests that no rule takes are answered with the built-in 404.`, fix: 'Add a port to it.' }))
    return undefined
  }
  const { target, report } = targetOf(service, port, options)
  if (target === undefined) {
    if (report !== undefined) diagnostics.push(report(object, field))
    return undefined
  }
  targets.set(target.id, targets.get(target.id) ?? reuse(before?.get(target.id), target))
  return target.id
}
