{{- /*
The webhook configurations: `key` in `webhooks` of the values, `kind`, `name`, `path`, and the `rules` that the leader applies
when a replica is ready; `failurePolicy` and `matchConditions` where the values have none. Do not change the names: RBAC rules, metrics and audit annotations refer to them.
*/}}
{{- define "bedrock-profiles.webhooks" -}}
- key: pods
  kind: MutatingWebhookConfiguration
  name: webhook-pods.bedrock-profiles.dev
  path: /mutate
  rules:
  - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods], scope: Namespaced}
  - {apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [pods/ephemeralcontainers], scope: Namespaced}
- key: podUpdates
  kind: MutatingWebhookConfiguration
  name: webhook-pod-updates.bedrock-profiles.dev
  path: /restore
  failurePolicy: Ignore
  matchConditions:
  - name: has-record
    expression: has(oldObject.metadata.annotations) && 'bedrock-profiles.dev/rewrites' in oldObject.metadata.annotations
  rules:
  - {apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [pods], scope: Namespaced}
- key: configMaps
  kind: MutatingWebhookConfiguration
  name: webhook-configmaps.bedrock-profiles.dev
  path: /mutate
  rules:
  - {apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps], scope: Namespaced}
- key: templates
  kind: ValidatingWebhookConfiguration
  name: webhook-templates.bedrock-profiles.dev
  path: /validate
  rules:
  - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments, statefulsets, daemonsets, replicasets], scope: Namespaced}
  - {apiGroups: [batch], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [jobs, cronjobs], scope: Namespaced}
  - {apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [replicationcontrollers], scope: Namespaced}
{{- end }}
