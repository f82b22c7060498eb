// The Ingress of extensions/v1beta1 and networking.k8s.io/v1beta1, which the current models no longer have: same fields, other backends.
import type { CompactType } from './compact.ts'

const METADATA = {
  apiVersion: ['string', 'APIVersion defines the versioned schema of this representation of an object.'],
  kind: ['string', 'Kind is a string value representing the REST resource this object represents.'],
  metadata: ['meta.v1.ObjectMeta'],
}

function typesOf(group: string): Record<string, CompactType> {
  return {
    [`${group}.Ingress`]: {
      description: 'Ingress is a collection of rules that allow inbound connections to reach the endpoints defined by a backend.',
      fields: { ...METADATA, spec: [`${group}.IngressSpec`], status: ['networking.v1.IngressStatus'] },
    },
    [`${group}.IngressSpec`]: {
      description: 'IngressSpec describes the Ingress the user wishes to exist.',
      fields: {
        backend: [`${group}.IngressBackend`, 'A default backend capable of servicing requests that don\'t match any rule.'],
        ingressClassName: ['string', 'IngressClassName is the name of the IngressClass cluster resource.'],
        rules: [`[]${group}.IngressRule`, 'A list of host rules used to configure the Ingress.'],
        tls: ['[]networking.v1.IngressTLS', 'TLS configuration.'],
      },
    },
    [`${group}.IngressRule`]: {
      description: 'IngressRule represents the rules mapping the paths under a specified host to the related backend services.',
      fields: { host: ['string', 'Host is the fully qualified domain name of a network host, as defined by RFC 3986.'], http: [`${group}.HTTPIngressRuleValue`] },
    },
    [`${group}.HTTPIngressRuleValue`]: {
      description: 'HTTPIngressRuleValue is a list of http selectors pointing to backends.',
      fields: { paths: [`[]${group}.HTTPIngressPath!`, 'A collection of paths that map requests to backends.'] },
    },
    [`${group}.HTTPIngressPath`]: {
      description: 'HTTPIngressPath associates a path with a backend.',
      fields: {
        backend: [`${group}.IngressBackend!`, 'Backend defines the referenced service endpoint to which the traffic will be forwarded to.'],
        path: ['string', 'Path is matched against the path of an incoming request.'],
        pathType: ['string', 'PathType determines the interpretation of the Path matching. Defaults to ImplementationSpecific.'],
      },
    },
    [`${group}.IngressBackend`]: {
      description: 'IngressBackend describes all endpoints for a given service and port.',
      fields: {
        resource: ['core.v1.TypedLocalObjectReference', 'Resource is an ObjectRef to another Kubernetes resource in the namespace of the Ingress object.'],
        serviceName: ['string', 'Specifies the name of the referenced service.'],
        servicePort: ['int-or-string', 'Specifies the port of the referenced service.'],
      },
    },
  }
}

export const LEGACY_INGRESS_TYPES: Readonly<Record<string, CompactType>> = { ...typesOf('extensions.v1beta1'), ...typesOf('networking.v1beta1') }
