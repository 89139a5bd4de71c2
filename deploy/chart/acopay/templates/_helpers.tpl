{{- define "acopay.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "acopay.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "acopay.labels" -}}
{{ include "acopay.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "acopay.image" -}}
{{- if .Values.image.digest }}{{ printf "%s@%s" .Values.image.repository .Values.image.digest }}{{ else }}{{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}{{ end }}
{{- end }}

{{- define "acopay.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "acopay.name" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{- define "acopay.secret" -}}
{{- default (include "acopay.name" .) .Values.secrets.existingSecret }}
{{- end }}

{{/* The Secret of the tables' owner. Where none is given, the role that serves is the owner too. */}}
{{- define "acopay.ownerSecret" -}}
{{- if .Values.secrets.ownerExistingSecret }}{{ .Values.secrets.ownerExistingSecret }}{{ else if .Values.secrets.existingSecret }}{{ .Values.secrets.existingSecret }}{{ else }}{{ include "acopay.name" . }}-migrate{{ end }}
{{- end }}

{{- define "acopay.ownerKey" -}}
{{- if or .Values.secrets.ownerExistingSecret (not .Values.secrets.existingSecret) }}{{ .Values.secrets.keys.ownerDatabaseUrl }}{{ else }}{{ .Values.secrets.keys.databaseUrl }}{{ end }}
{{- end }}

{{/* What the restricted Pod Security Standard asks for, and a root that cannot be written. */}}
{{- define "acopay.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "acopay.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}
