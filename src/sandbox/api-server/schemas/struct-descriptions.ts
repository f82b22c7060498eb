// Descriptions of fields that hold a struct: the client models, from which the table is made, have lost them.

const CONVENTIONS = 'More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md'
const STATUS = `${CONVENTIONS}#spec-and-status`

/** For every type that is an object of its own. */
export const METADATA_DESCRIPTION = `Standard object's metadata. ${CONVENTIONS}#metadata`

/** Type and field to its description. */
export const STRUCT_DESCRIPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'networking.v1.Ingress': { spec: `spec is the desired state of the Ingress. ${STATUS}`, status: `status is the current state of the Ingress. ${STATUS}` },
  'networking.v1.IngressSpec': {
    defaultBackend:
      'defaultBackend is the backend that should handle requests that don\'t match any rule. If Rules are not specified, DefaultBackend must be specified. If DefaultBackend is not set, the handling of requests that do not match any of the rules will be up to the Ingress controller.',
  },
  'networking.v1.HTTPIngressPath': { backend: 'backend defines the referenced service endpoint to which the traffic will be forwarded to.' },
  'networking.v1.IngressBackend': {
    resource: 'resource is an ObjectRef to another Kubernetes resource in the namespace of the Ingress object. If resource is specified, a service.Name and service.Port must not be specified. This is a mutually exclusive setting with "Service".',
    service: 'service references a service as a backend. This is a mutually exclusive setting with "Resource".',
  },
  'networking.v1.IngressServiceBackend': { port: 'port of the referenced service. A port name or port number is required for a IngressServiceBackend.' },
  'networking.v1.IngressStatus': { loadBalancer: 'loadBalancer contains the current status of the load-balancer.' },
  'networking.v1.IngressClass': { spec: `spec is the desired state of the IngressClass. ${STATUS}` },
  'networking.v1.IngressClassSpec': {
    parameters: 'parameters is a link to a custom resource containing additional configuration for the controller. This is optional if the controller does not require extra parameters.',
  },
  'core.v1.Service': {
    spec: 'Spec defines the behavior of a service. https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#spec-and-status',
    status: `Most recently observed status of the service. Populated by the system. Read-only. ${STATUS}`,
  },
  'core.v1.ServiceSpec': { sessionAffinityConfig: 'sessionAffinityConfig contains the configurations of session affinity.' },
  'core.v1.ServiceStatus': { loadBalancer: 'LoadBalancer contains the current status of the load-balancer, if one is present.' },
  'core.v1.Namespace': { spec: `Spec defines the behavior of the Namespace. ${STATUS}`, status: `Status describes the current status of a Namespace. ${STATUS}` },
  'core.v1.Pod': {
    spec: `Specification of the desired behavior of the pod. ${STATUS}`,
    status: `Most recently observed status of the pod. This data may not be up to date. Populated by the system. Read-only. ${STATUS}`,
  },
  'core.v1.PodTemplateSpec': { spec: `Specification of the desired behavior of the pod. ${STATUS}` },
  'core.v1.Event': { involvedObject: 'The object that this event is about.', source: 'The component reporting this event. Should be a short machine understandable string.' },
  'apps.v1.Deployment': { spec: 'Specification of the desired behavior of the Deployment.', status: 'Most recently observed status of the Deployment.' },
  'apps.v1.DeploymentSpec': {
    selector: "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this deployment. It must match the pod template's labels.",
    strategy: 'The deployment strategy to use to replace existing pods with new ones.',
    template: 'Template describes the pods that will be created. The only allowed template.spec.restartPolicy value is "Always".',
  },
  'apps.v1.ReplicaSetSpec': {
    selector:
      "Selector is a label query over pods that should match the replica count. Label keys and values that must match in order to be controlled by this replica set. It must match the pod template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
    template: 'Template is the object that describes the pod that will be created if insufficient replicas are detected.',
  },
}
