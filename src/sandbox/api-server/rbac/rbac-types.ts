// The types of rbac.authorization.k8s.io/v1 in the compact form of the schema table.
import type { CompactType } from '../schemas/compact.ts'

const object: CompactType['fields'] = {
  apiVersion: ['string', 'APIVersion defines the versioned schema of this representation of an object.'],
  kind: ['string', 'Kind is a string value representing the REST resource this object represents.'],
  metadata: ['meta.v1.ObjectMeta', 'Standard object\'s metadata.'],
}

function role(description: string, more: CompactType['fields'] = {}): CompactType {
  return { description, fields: { ...object, ...more, rules: ['[]rbac.v1.PolicyRule', 'Rules holds all the PolicyRules for this role.'] } }
}

function binding(description: string): CompactType {
  return {
    description,
    fields: {
      ...object,
      roleRef: ['rbac.v1.RoleRef!', 'RoleRef can reference a role. If the RoleRef cannot be resolved, the Authorizer must return an error. This field is immutable.'],
      subjects: ['[]rbac.v1.Subject', 'Subjects holds references to the objects the role applies to.'],
    },
  }
}

export const RBAC_TYPES: Readonly<Record<string, CompactType>> = {
  'rbac.v1.ClusterRole': role('ClusterRole is a cluster level, logical grouping of PolicyRules that can be referenced as a unit by a RoleBinding or ClusterRoleBinding.', {
    aggregationRule: ['object', 'AggregationRule is an optional field that describes how to build the Rules for this ClusterRole.'],
  }),
  'rbac.v1.Role': role('Role is a namespaced, logical grouping of PolicyRules that can be referenced as a unit by a RoleBinding.'),
  'rbac.v1.ClusterRoleBinding': binding('ClusterRoleBinding references a ClusterRole, but not contain it.'),
  'rbac.v1.RoleBinding': binding('RoleBinding references a role, but does not contain it.'),
  'rbac.v1.PolicyRule': {
    description: 'PolicyRule holds information that describes a policy rule, but does not contain information about who the rule applies to or which namespace the rule applies to.',
    fields: {
      apiGroups: ['[]string', 'APIGroups is the name of the APIGroup that contains the resources. "" represents the core API group and "*" represents all API groups.'],
      nonResourceURLs: ['[]string', 'NonResourceURLs is a set of partial urls that a user should have access to.'],
      resourceNames: ['[]string', 'ResourceNames is an optional white list of names that the rule applies to. An empty set means that everything is allowed.'],
      resources: ['[]string', 'Resources is a list of resources this rule applies to. "*" represents all resources.'],
      verbs: ['[]string!', 'Verbs is a list of Verbs that apply to ALL the ResourceKinds contained in this rule. "*" represents all verbs.'],
    },
  },
  'rbac.v1.RoleRef': {
    description: 'RoleRef contains information that points to the role being used',
    fields: { apiGroup: ['string!', 'APIGroup is the group for the resource being referenced'], kind: ['string!', 'Kind is the type of resource being referenced'], name: ['string!', 'Name is the name of resource being referenced'] },
  },
  'rbac.v1.Subject': {
    description: 'Subject contains a reference to the object or user identities a role binding applies to.',
    fields: {
      apiGroup: ['string', 'APIGroup holds the API group of the referenced subject.'],
      kind: ['string!', 'Kind of object being referenced. Values defined by this API group are "User", "Group", and "ServiceAccount".'],
      name: ['string!', 'Name of the object being referenced.'],
      namespace: ['string', 'Namespace of the referenced object.'],
    },
  },
}
