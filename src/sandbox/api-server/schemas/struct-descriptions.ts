// Descriptions of fields that hold a struct or a type of its own (IntOrString, times): the client models, from which the table is made, have lost them.

const CONVENTIONS = 'More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md'
const STATUS = `${CONVENTIONS}#spec-and-status`

const PROBE_PORT = 'Number must be in the range 1 to 65535. Name must be an IANA_SVC_NAME.'

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
  'core.v1.ServicePort': {
    targetPort:
      "Number or name of the port to access on the pods targeted by the service. Number must be in the range 1 to 65535. Name must be an IANA_SVC_NAME. If this is a string, it will be looked up as a named port in the target Pod's container ports. If this is not specified, the value of the 'port' field is used (an identity map). This field is ignored for services with clusterIP=None, and should be omitted or set equal to the 'port' field. More info: https://kubernetes.io/docs/concepts/services-networking/service/#defining-a-service",
  },
  'core.v1.HTTPGetAction': { port: `Name or number of the port to access on the container. ${PROBE_PORT}` },
  'core.v1.TCPSocketAction': { port: `Number or name of the port to access on the container. ${PROBE_PORT}` },
  'core.v1.ServiceStatus': { loadBalancer: 'LoadBalancer contains the current status of the load-balancer, if one is present.' },
  'core.v1.Namespace': { spec: `Spec defines the behavior of the Namespace. ${STATUS}`, status: `Status describes the current status of a Namespace. ${STATUS}` },
  'core.v1.Pod': {
    spec: `Specification of the desired behavior of the pod. ${STATUS}`,
    status: `Most recently observed status of the pod. This data may not be up to date. Populated by the system. Read-only. ${STATUS}`,
  },
  'core.v1.PodTemplateSpec': { spec: `Specification of the desired behavior of the pod. ${STATUS}` },
  'core.v1.Event': { involvedObject: 'The object that this event is about.', source: 'The component reporting this event. Should be a short machine understandable string.', eventTime: 'Time when this Event was first observed.' },
  'apps.v1.Deployment': { spec: 'Specification of the desired behavior of the Deployment.', status: 'Most recently observed status of the Deployment.' },
  'apps.v1.DeploymentSpec': {
    selector: "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this deployment. It must match the pod template's labels.",
    strategy: 'The deployment strategy to use to replace existing pods with new ones.',
    template: 'Template describes the pods that will be created. The only allowed template.spec.restartPolicy value is "Always".',
  },
  'apps.v1.RollingUpdateDeployment': {
    maxSurge:
      'The maximum number of pods that can be scheduled above the desired number of pods. Value can be an absolute number (ex: 5) or a percentage of desired pods (ex: 10%). This can not be 0 if MaxUnavailable is 0. Absolute number is calculated from percentage by rounding up. Defaults to 25%.',
    maxUnavailable:
      'The maximum number of pods that can be unavailable during the update. Value can be an absolute number (ex: 5) or a percentage of desired pods (ex: 10%). Absolute number is calculated from percentage by rounding down. This can not be 0 if MaxSurge is 0. Defaults to 25%.',
  },
  'coordination.v1.LeaseSpec': { acquireTime: 'acquireTime is a time when the current lease was acquired.', renewTime: 'renewTime is a time when the current holder of a lease has last updated the lease.' },
  'apps.v1.ReplicaSetSpec': {
    selector:
      "Selector is a label query over pods that should match the replica count. Label keys and values that must match in order to be controlled by this replica set. It must match the pod template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
    template: 'Template is the object that describes the pod that will be created if insufficient replicas are detected.',
  },
}
