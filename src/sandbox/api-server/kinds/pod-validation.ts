// The rules for pod specs, as far as the sandbox's users can break them.
import type { Cause } from '../kind.ts'
import { duplicate, forbidden, invalid, invalids, notSupported, required } from './cause.ts'
import { validateAnnotations, validateLabels } from './metadata.ts'
import { dns1123Label, dns1123Subdomain, portName, portNumber } from './names.ts'
import type { Container, ContainerPort, PodSpec, PodTemplate, Probe, Volume } from './pod-spec.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const RESTART_POLICIES = ['Always', 'OnFailure', 'Never']

function validatePorts(ports: readonly ContainerPort[], field: string): Cause[] {
  const names = new Set<string>()
  const causes: Cause[] = []
  for (const [index, { name = '', containerPort = 0, hostPort = 0, protocol = '' }] of ports.entries()) {
    const at = `${field}[${index}]`
    if (name !== '') {
      const wrong = portName(name)
      causes.push(...invalids(`${at}.name`, name, wrong))
      if (wrong.length === 0 && names.has(name)) causes.push(duplicate(`${at}.name`, name))
      names.add(name)
    }
    if (containerPort === 0) causes.push(required(`${at}.containerPort`))
    else causes.push(...invalids(`${at}.containerPort`, containerPort, portNumber(containerPort)))
    if (hostPort !== 0) causes.push(...invalids(`${at}.hostPort`, hostPort, portNumber(hostPort)))
    if (protocol === '') causes.push(required(`${at}.protocol`))
    else if (!PROTOCOLS.includes(protocol)) causes.push(notSupported(`${at}.protocol`, protocol, PROTOCOLS))
  }
  return causes
}

function validateProbe(probe: Probe | undefined, field: string): Cause[] {
  if (probe === undefined) return []
  return (['periodSeconds', 'timeoutSeconds', 'successThreshold', 'failureThreshold'] as const).flatMap(name => {
    const value = probe[name] ?? 0
    return value < 0 ? [invalid(`${field}.${name}`, value, 'must be greater than or equal to 0')] : []
  })
}

function validateContainer(container: Container, volumes: ReadonlySet<string>, field: string): Cause[] {
  const causes: Cause[] = []
  const { name = '', image = '', imagePullPolicy = '' } = container
  if (name === '') causes.push(required(`${field}.name`))
  else causes.push(...invalids(`${field}.name`, name, dns1123Label(name)))
  if (image === '') causes.push(required(`${field}.image`))
  else if (image !== image.trim()) causes.push(invalid(`${field}.image`, image, 'must not have leading or trailing whitespace'))
  if (!PULL_POLICIES.includes(imagePullPolicy)) causes.push(notSupported(`${field}.imagePullPolicy`, imagePullPolicy, PULL_POLICIES))
  causes.push(...validatePorts(container.ports ?? [], `${field}.ports`))
  for (const [index, variable] of (container.env ?? []).entries()) if (!variable.name) causes.push(required(`${field}.env[${index}].name`))
  const paths = new Set<string>()
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const at = `${field}.volumeMounts[${index}]`
    if (!mount.name) causes.push(required(`${at}.name`))
    else if (!volumes.has(mount.name)) causes.push({ reason: 'FieldValueNotFound', message: `Not found: ${JSON.stringify(mount.name)}`, field: `${at}.name` })
    if (!mount.mountPath) causes.push(required(`${at}.mountPath`))
    else if (paths.has(mount.mountPath)) causes.push(invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'))
    paths.add(mount.mountPath ?? '')
  }
  causes.push(...validateProbe(container.livenessProbe, `${field}.livenessProbe`), ...validateProbe(container.readinessProbe, `${field}.readinessProbe`))
  causes.push(...validateProbe(container.startupProbe, `${field}.startupProbe`))
  return causes
}

function validateVolumes(volumes: readonly Volume[], field: string): Cause[] {
  const names = new Set<string>()
  const causes: Cause[] = []
  for (const [index, { name = '', ...sources }] of volumes.entries()) {
    const at = `${field}[${index}]`
    if (name === '') causes.push(required(`${at}.name`))
    else causes.push(...invalids(`${at}.name`, name, dns1123Label(name)))
    if (names.has(name)) causes.push(duplicate(`${at}.name`, name))
    names.add(name)
    for (const extra of Object.keys(sources).slice(1)) causes.push(forbidden(`${at}.${extra}`, 'may not specify more than 1 volume type'))
  }
  return causes
}

export function validatePodSpec(spec: PodSpec, field: string): Cause[] {
  const causes = validateVolumes(spec.volumes ?? [], `${field}.volumes`)
  const volumes = new Set((spec.volumes ?? []).map(volume => volume.name ?? ''))
  const names = new Set<string>()
  const containers = spec.containers ?? []
  if (containers.length === 0) causes.push(required(`${field}.containers`))
  for (const list of ['containers', 'initContainers'] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      const at = `${field}.${list}[${index}]`
      causes.push(...validateContainer(container, volumes, at))
      const { name = '' } = container
      if (name !== '' && names.has(name)) causes.push(duplicate(`${at}.name`, name))
      names.add(name)
    }
  }
  const { restartPolicy = '', dnsPolicy = '', terminationGracePeriodSeconds, serviceAccountName, nodeName } = spec
  if (!RESTART_POLICIES.includes(restartPolicy)) causes.push(notSupported(`${field}.restartPolicy`, restartPolicy, RESTART_POLICIES))
  if (!DNS_POLICIES.includes(dnsPolicy)) causes.push(notSupported(`${field}.dnsPolicy`, dnsPolicy, DNS_POLICIES))
  if (terminationGracePeriodSeconds === undefined) causes.push(required(`${field}.terminationGracePeriodSeconds`))
  if (serviceAccountName) causes.push(...invalids(`${field}.serviceAccountName`, serviceAccountName, dns1123Subdomain(serviceAccountName)))
  if (nodeName) causes.push(...invalids(`${field}.nodeName`, nodeName, dns1123Subdomain(nodeName)))
  return causes
}

/** A template of pods that always run. */
export function validatePodTemplate(template: PodTemplate | undefined, field: string): Cause[] {
  const spec = template?.spec ?? {}
  const causes = [
    ...validateLabels(template?.metadata?.labels, `${field}.labels`),
    ...validateAnnotations(template?.metadata?.annotations, `${field}.annotations`),
    ...validatePodSpec(spec, `${field}.spec`),
  ]
  if (spec.restartPolicy !== 'Always') causes.push(notSupported(`${field}.spec.restartPolicy`, spec.restartPolicy ?? '', ['Always']))
  if (spec.activeDeadlineSeconds !== undefined) causes.push(forbidden(`${field}.spec.activeDeadlineSeconds`, 'activeDeadlineSeconds in ReplicaSet is not Supported'))
  return causes
}
