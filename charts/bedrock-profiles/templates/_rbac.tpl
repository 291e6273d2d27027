{{- /* Generated from src/cluster/rbac.rs by `UPDATE=1 cargo test --test suite generated`. */}}

{{- define "bedrock-profiles.rules.cluster" }}
# the view
- apiGroups: ["bedrock-profiles.dev"]
  resources: ["inferenceprofilemappings","inferenceprofilepolicies"]
  verbs: ["list","watch"]
# conditions, the last audit
- apiGroups: ["bedrock-profiles.dev"]
  resources: ["inferenceprofilemappings/status","inferenceprofilepolicies/status"]
  verbs: ["patch"]
{{- if .Values.catalog.apply }}
# the first apply of builtin; create cannot be limited to a name
- apiGroups: ["bedrock-profiles.dev"]
  resources: ["inferenceprofilemappings"]
  verbs: ["create"]
{{- end }}
{{- if .Values.catalog.apply }}
# updates of the shipped catalog
- apiGroups: ["bedrock-profiles.dev"]
  resources: ["inferenceprofilemappings"]
  resourceNames: ["builtin"]
  verbs: ["patch"]
{{- end }}
{{- if .Values.policy.create }}
# the first apply of default; create cannot be limited to a name
- apiGroups: ["bedrock-profiles.dev"]
  resources: ["inferenceprofilepolicies"]
  verbs: ["create"]
{{- end }}
{{- if .Values.policy.create }}
# changes of the chart's default policy
- apiGroups: ["bedrock-profiles.dev"]
  resources: ["inferenceprofilepolicies"]
  resourceNames: ["default"]
  verbs: ["patch"]
{{- end }}
# activate, apply the CA bundle, read it back
- apiGroups: ["admissionregistration.k8s.io"]
  resources: ["mutatingwebhookconfigurations"]
  resourceNames: ["webhook-pods.bedrock-profiles.dev","webhook-pod-updates.bedrock-profiles.dev","webhook-configmaps.bedrock-profiles.dev"]
  verbs: ["list","watch","patch"]
# activate, apply the CA bundle, read it back
- apiGroups: ["admissionregistration.k8s.io"]
  resources: ["validatingwebhookconfigurations"]
  resourceNames: ["webhook-templates.bedrock-profiles.dev"]
  verbs: ["list","watch","patch"]
# labels and annotations, metadata only
- apiGroups: [""]
  resources: ["namespaces"]
  verbs: ["list","watch"]
{{- if eq (include "bedrock-profiles.regionFromNodes" .) "true" }}
# the cluster's region, metadata only
- apiGroups: [""]
  resources: ["nodes"]
  verbs: ["list","watch"]
{{- end }}
{{- if .Values.references.enabled }}
# references of Pods to ConfigMaps
- apiGroups: [""]
  resources: ["configmaps"]
  verbs: ["list","watch"]
{{- end }}
{{- if and .Values.audit.enabled .Values.audit.configMaps }}
# the audit
- apiGroups: [""]
  resources: ["configmaps"]
  verbs: ["list"]
{{- end }}
{{- if .Values.audit.enabled }}
# the audit
- apiGroups: [""]
  resources: ["pods","replicationcontrollers","podtemplates"]
  verbs: ["list"]
{{- end }}
{{- if .Values.audit.enabled }}
# the audit, owners by uid
- apiGroups: ["apps"]
  resources: ["deployments","statefulsets","daemonsets","replicasets"]
  verbs: ["list"]
{{- end }}
{{- if .Values.audit.enabled }}
# the audit, owners by uid
- apiGroups: ["batch"]
  resources: ["jobs","cronjobs"]
  verbs: ["list"]
{{- end }}
{{- if and .Values.audit.enabled .Values.reports.enabled }}
# reports; create cannot be limited to a name
- apiGroups: ["openreports.io"]
  resources: ["reports"]
  verbs: ["create"]
{{- end }}
{{- if and .Values.audit.enabled .Values.reports.enabled }}
# reports
- apiGroups: ["openreports.io"]
  resources: ["reports"]
  resourceNames: ["bedrock-profiles"]
  verbs: ["list","patch","delete"]
{{- end }}
{{- if and .Values.audit.enabled .Values.reports.enabled }}
# the owner of the reports
- apiGroups: ["rbac.authorization.k8s.io"]
  resources: ["clusterroles"]
  resourceNames: [{{ include "bedrock-profiles.fullname" . }}]
  verbs: ["get"]
{{- end }}
{{- if and .Values.audit.enabled .Values.events.onOwners }}
# events on what the audit finds
- apiGroups: ["events.k8s.io"]
  resources: ["events"]
  verbs: ["create"]
{{- end }}
{{- end }}

{{- define "bedrock-profiles.rules.own" }}
{{- if eq .Values.certificates.mode "self" }}
# the CAs; the chart ships the Secret, so nothing is created
- apiGroups: [""]
  resources: ["secrets"]
  resourceNames: [{{ include "bedrock-profiles.fullname" . }}-ca]
  verbs: ["get","list","watch","update"]
{{- end }}
# leader election; the chart ships the Lease, so nothing is created
- apiGroups: ["coordination.k8s.io"]
  resources: ["leases"]
  resourceNames: [{{ include "bedrock-profiles.fullname" . }}]
  verbs: ["get","update"]
# the bootstrap configuration
- apiGroups: [""]
  resources: ["configmaps"]
  resourceNames: [{{ include "bedrock-profiles.fullname" . }}-bootstrap]
  verbs: ["list","watch"]
{{- end }}

{{- define "bedrock-profiles.rules.default" }}
# events on policies
- apiGroups: ["events.k8s.io"]
  resources: ["events"]
  verbs: ["create"]
{{- end }}

{{- define "bedrock-profiles.rules.view" }}
# users who audit the cluster, or files by its policies
- apiGroups: ["bedrock-profiles.dev"]
  resources: ["inferenceprofilemappings","inferenceprofilepolicies"]
  verbs: ["get","list","watch"]
{{- end }}
