// Ingress objects of extensions/v1beta1 and networking.k8s.io/v1beta1 as files still have them, in the form of networking.k8s.io/v1.
import { isRecord, record, records, type Raw } from './raw.ts'

export const LEGACY_INGRESS_VERSIONS: ReadonlySet<unknown> = new Set(['extensions/v1beta1', 'networking.k8s.io/v1beta1'])

export function toCurrentIngress(raw: Raw): Raw {
  const { backend, rules, ...spec } = record(raw['spec'])
  const current: Record<string, unknown> = { ...spec }
  if (isRecord(backend)) current['defaultBackend'] = toCurrentBackend(backend)
  if (Array.isArray(rules)) current['rules'] = records(rules).map(toCurrentRule)
  return { ...raw, apiVersion: 'networking.k8s.io/v1', spec: current }
}

function toCurrentRule(rule: Raw): Raw {
  const { http } = rule
  if (!isRecord(http)) return rule
  const paths = records(http['paths']).map((path) => ({ pathType: 'ImplementationSpecific', ...path, backend: toCurrentBackend(record(path['backend'])) }))
  return { ...rule, http: { ...http, paths } }
}

function toCurrentBackend({ serviceName, servicePort, ...rest }: Raw): Raw {
  if (serviceName === undefined) return rest
  return { ...rest, service: { name: serviceName, port: typeof servicePort === 'number' ? { number: servicePort } : { name: servicePort } } }
}
