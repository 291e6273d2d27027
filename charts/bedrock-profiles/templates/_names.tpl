{{- /* Names and labels. The controller derives the same names from the full name. */}}

{{- define "bedrock-profiles.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- /* At most 52 characters: with a suffix, a name still has at most 63. */}}
{{- define "bedrock-profiles.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "bedrock-profiles.serviceAccount" -}}
{{- .Values.serviceAccount.create | ternary (include "bedrock-profiles.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- /* The labels of every object of the release. */}}
{{- define "bedrock-profiles.selector" -}}
app.kubernetes.io/name: {{ include "bedrock-profiles.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* The labels of the replicas' Pods. The Pod of `helm test` has another component. */}}
{{- define "bedrock-profiles.podSelector" -}}
{{ include "bedrock-profiles.selector" . }}
app.kubernetes.io/component: webhook
{{- end }}

{{- define "bedrock-profiles.labels" -}}
{{- $own := include "bedrock-profiles.selector" . | fromYaml }}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63) }}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion }}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service }}
{{- toYaml (merge $own .Values.commonLabels) }}
{{- end }}

{{- /*
The metadata of an object. Arguments, as a list: the root context, the suffix of the name, and optionally a map with `name` (replaces
full name and suffix), `namespace` (false for cluster-scoped objects), `labels` and `annotations`.
*/}}
{{- define "bedrock-profiles.metadata" -}}
{{- $root := index . 0 }}
{{- $more := dict }}
{{- if gt (len .) 2 }}{{ $more = index . 2 }}{{ end }}
{{- $annotations := merge (dict) ($more.annotations | default dict) $root.Values.commonAnnotations -}}
name: {{ $more.name | default (printf "%s%s" (include "bedrock-profiles.fullname" $root) (index . 1)) }}
{{- if not (hasKey $more "namespace") }}
namespace: {{ $root.Release.Namespace }}
{{- else if $more.namespace }}
namespace: {{ $more.namespace }}
{{- end }}
labels:
  {{- merge (dict) (include "bedrock-profiles.labels" $root | fromYaml) ($more.labels | default dict) | toYaml | nindent 2 }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "bedrock-profiles.image" -}}
{{- with .Values.image }}
{{- .repository }}
{{- if or .tag (not .digest) }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- with .digest }}@{{ . }}{{ end }}
{{- end }}
{{- end }}

{{- /* The namespaces to skip, including the release namespace, as a YAML list. */}}
{{- define "bedrock-profiles.excluded" -}}
{{- append .Values.excludedNamespaces .Release.Namespace | uniq | toYaml }}
{{- end }}

{{- define "bedrock-profiles.regionFromNodes" -}}
{{- if kindIs "bool" .Values.region.fromNodes }}
{{- .Values.region.fromNodes }}
{{- else }}
{{- empty (dig "region" "default" "" .Values.policy) }}
{{- end }}
{{- end }}

{{- /* ADDRESS:PORT, for --listen. IPv6 addresses are put into brackets. */}}
{{- define "bedrock-profiles.listen" -}}
{{- $address := index . 0 }}
{{- if contains ":" $address }}{{ $address = printf "[%s]" $address }}{{ end }}
{{- printf "%s:%v" $address (index . 1) }}
{{- end }}

{{- define "bedrock-profiles.validate" -}}
{{- if eq (int .Values.ports.webhook) (int .Values.ports.admin) }}
{{- fail "ports.webhook and ports.admin must differ" }}
{{- end }}
{{- if and .Values.certificates.caBundle (eq .Values.certificates.mode "self") }}
{{- fail "certificates.caBundle requires certificates.mode secret or certManager: in mode self the controller creates the CA" }}
{{- end }}
{{- with .Values.autoscaling }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
{{- fail "autoscaling.minReplicas must not exceed autoscaling.maxReplicas" }}
{{- end }}
{{- end }}
{{- end }}
