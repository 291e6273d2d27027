{{- /* Where the serving certificate comes from, for modes other than `self`. */}}

{{- /* The Secret with the certificate. */}}
{{- define "bedrock-profiles.certificateSecret" -}}
{{- if eq .Values.certificates.mode "secret" }}
{{- .Values.certificates.secret.name }}
{{- else }}
{{- include "bedrock-profiles.fullname" . }}-tls
{{- end }}
{{- end }}

{{- /* What a projected volume takes the CA certificates from, and nothing else: the key of a CA never gets there. */}}
{{- define "bedrock-profiles.authorities" -}}
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
