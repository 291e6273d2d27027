{{- /* Sources of the serving certificate and of the CA certificates. */}}

{{- /* The Secret with the serving certificate, in modes other than `self`. */}}
{{- define "bedrock-profiles.certificateSecret" -}}
{{- if eq .Values.certificates.mode "secret" }}
{{- .Values.certificates.secret.name }}
{{- else }}
{{- include "bedrock-profiles.fullname" . }}-tls
{{- end }}
{{- end }}

{{- /* The source of a projected volume with the CA certificates. It never contains a private key. */}}
{{- define "bedrock-profiles.caSource" -}}
{{- if .Values.certificates.caBundle -}}
- configMap:
    name: {{ include "bedrock-profiles.fullname" . }}-ca-bundle
    items:
    - {key: ca.crt, path: ca.crt}
{{- else -}}
- secret:
    name: {{ eq .Values.certificates.mode "self" | ternary (printf "%s-ca" (include "bedrock-profiles.fullname" .)) (include "bedrock-profiles.certificateSecret" .) }}
    items:
    - {key: ca.crt, path: ca.crt}
{{- end }}
{{- end }}
