// The shape of an Ingress.
import type { KubeObject } from '../kind.ts'

export interface IngressBackend {
  service?: { name?: string; port?: { name?: string; number?: number } }
  resource?: { apiGroup?: string; kind?: string; name?: string }
}

export interface IngressPath {
  path?: string
  pathType?: string
  backend?: IngressBackend
}

export interface IngressRule {
  host?: string
  http?: { paths?: IngressPath[] }
}

export interface IngressSpec {
  ingressClassName?: string
  defaultBackend?: IngressBackend
  rules?: IngressRule[]
  tls?: { hosts?: string[]; secretName?: string }[]
}

export interface IngressStatus {
  loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] }
}

export function ingressSpec(object: KubeObject): IngressSpec {
  return (object['spec'] ?? {}) as IngressSpec
}

export function ingressStatus(object: KubeObject): IngressStatus {
  return (object['status'] ?? {}) as IngressStatus
}
