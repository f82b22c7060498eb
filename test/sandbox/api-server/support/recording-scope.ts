// What the recorded cluster serves and the sandbox does not mean to: left out of every comparison, with the reason.

export interface Outside {
  /** `group/version/resource` or `group/version/resource/subresource`; `*` stands for any rest. */
  readonly names: readonly string[]
  readonly reason: string
}

export const outside: readonly Outside[] = [
  {
    names: ['/v1/bindings', '/v1/componentstatuses', '/v1/limitranges', '/v1/persistentvolumeclaims', '/v1/persistentvolumes', '/v1/podtemplates', '/v1/replicationcontrollers', '/v1/resourcequotas'],
    reason: 'Core kinds that no Ingress controller or its tutorials need.',
  },
  { names: ['apps/v1/controllerrevisions', 'apps/v1/daemonsets', 'apps/v1/statefulsets'], reason: 'Workloads other than Deployments.' },
  { names: ['networking.k8s.io/v1/ipaddresses', 'networking.k8s.io/v1/networkpolicies', 'networking.k8s.io/v1/servicecidrs'], reason: 'The sandbox has one address range and no packet filter.' },
  {
    names: [
      'admissionregistration.k8s.io/*', 'apiextensions.k8s.io/*', 'apiregistration.k8s.io/*', 'authentication.k8s.io/*', 'autoscaling/*', 'batch/*', 'certificates.k8s.io/*',
      'flowcontrol.apiserver.k8s.io/*', 'node.k8s.io/*', 'policy/*', 'resource.k8s.io/*', 'scheduling.k8s.io/*', 'storage.k8s.io/*',
    ],
    reason: 'API groups outside the list of kinds.',
  },
  {
    names: ['authorization.k8s.io/v1/localsubjectaccessreviews', 'authorization.k8s.io/v1/selfsubjectrulesreviews', 'authorization.k8s.io/v1/subjectaccessreviews'],
    reason: 'Only `kubectl auth can-i` is answered.',
  },
  {
    names: [
      '/v1/pods/attach', '/v1/pods/binding', '/v1/pods/ephemeralcontainers', '/v1/pods/eviction', '/v1/pods/exec', '/v1/pods/log', '/v1/pods/portforward', '/v1/pods/proxy', '/v1/pods/resize',
      '/v1/services/proxy', '/v1/nodes/proxy', '/v1/serviceaccounts/token',
    ],
    reason: 'Served by the sandbox around the API server (log, proxy), or not at all: there are no containers and no tokens.',
  },
]

/** Served here and not by a current cluster: versions that many tutorials still print. */
export const beyond: readonly string[] = ['extensions/v1beta1/*', 'networking.k8s.io/v1beta1/*']

function matches(names: readonly string[], name: string): boolean {
  return names.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern || name.startsWith(`${pattern}/`)))
}

export function isOutside(name: string): boolean {
  return outside.some(({ names }) => matches(names, name))
}

export function isBeyond(name: string): boolean {
  return matches(beyond, name)
}
