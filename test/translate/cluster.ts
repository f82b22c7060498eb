// A cluster of any size for tests and measurements: `count` Ingresses, each with a host, a Service and a slice of its own.
import type { Store } from '../../src/kube/store.ts'
import { trim, type KubeKind } from '../../src/kube/trim.ts'

export function ingress(index: number, paths: Readonly<Record<string, string>> = { '/': `web-${index}` }) {
  return {
    metadata: { name: `ingress-${index}`, namespace: `ns-${index}`, uid: `uid-${index}`, creationTimestamp: new Date(1.7e12 + index * 1000).toISOString() },
    spec: {
      ingressClassName: 'narthex',
      rules: [
        {
          host: `host-${index}.example`,
          http: { paths: Object.entries(paths).map(([path, name]) => ({ path, pathType: 'Prefix', backend: { service: { name, port: { number: 80 } } } })) },
        },
      ],
    },
  }
}

export function service(index: number) {
  return { metadata: { name: `web-${index}`, namespace: `ns-${index}` }, spec: { ports: [{ port: 80, targetPort: 8080 }] } }
}

export function slice(index: number, addresses: readonly string[]) {
  return {
    metadata: { name: `web-${index}-abc`, namespace: `ns-${index}`, labels: { 'kubernetes.io/service-name': `web-${index}` } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  }
}

/** `paths` on each host, all to the one Service. */
export function fill(store: Store, count: number, paths: readonly string[] = ['/']): void {
  const set = (kind: KubeKind, raw: unknown) => {
    const object = trim(kind, raw)
    if (object !== undefined) store.apply({ type: 'set', object })
  }
  set('IngressClass', { metadata: { name: 'narthex' }, spec: { controller: 'narthex.ingress.kubernetes.io/controller' } })
  for (let index = 0; index < count; index++) {
    set('Ingress', ingress(index, Object.fromEntries(paths.map((path) => [path, `web-${index}`]))))
    set('Service', service(index))
    set('EndpointSlice', slice(index, [`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`]))
  }
}
