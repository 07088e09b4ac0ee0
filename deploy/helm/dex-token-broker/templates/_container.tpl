{{/* Variables, files and rights of the broker: the Deployment and the test share them. */}}
{{- define "broker.env" -}}
- name: DEX_ISSUER
  value: {{ .Values.dex.issuer | quote }}
{{- with .Values.dex.tokenUrl }}
- name: DEX_TOKEN_URL
  value: {{ . | quote }}
{{- end }}
{{- with .Values.dex.jwksUrl }}
- name: DEX_JWKS_URL
  value: {{ . | quote }}
{{- end }}
{{- if .Values.dex.allowInsecureUrl }}
- name: ALLOW_INSECURE_DEX_URL
  value: 'true'
{{- end }}
{{- if or .Values.dex.ca.secret .Values.dex.ca.configMap }}
- name: DEX_CA_FILE
  value: /run/dex-ca/{{ .Values.dex.ca.key }}
{{- end }}
- name: GRPC_LISTEN_ADDR
  value: :8082
# Set, although it is the default: a port that is taken then stops the start instead of turning the probes off.
- name: ADMIN_ADDR
  value: :8081
- name: SHUTDOWN_TIMEOUT
  value: {{ .Values.shutdown.timeoutSeconds }}s
{{- if eq .Values.mode "rules" }}
- name: CONFIG_FILE
  value: /etc/dex-token-broker/config.yaml
{{- end }}
{{- if eq .Values.mode "gate" }}
{{- with .Values.gate.jwksUrl }}
- name: JWKS_URL
  value: {{ . | quote }}
{{- end }}
{{- with .Values.gate.issuer }}
- name: JWT_ISSUER
  value: {{ . | quote }}
{{- end }}
- name: JWT_AUDIENCE
  value: {{ join "," .Values.gate.audiences | quote }}
{{- end }}
{{- if .Values.client.id }}
- name: STATIC_CLIENT_ID
  value: {{ .Values.client.id | quote }}
# Read again when it changes; a variable from a Secret would need a restart.
- name: STATIC_CLIENT_SECRET_FILE
  value: /run/secrets/dex-token-broker/client-secret
- name: STATIC_SCOPE
  value: {{ .Values.client.scope | quote }}
{{- with .Values.client.audiences }}
- name: STATIC_AUDIENCES
  value: {{ join "," . | quote }}
{{- end }}
{{- end }}
{{- if .Values.allowUnauthenticatedCallers }}
- name: ALLOW_UNAUTHENTICATED_CALLERS
  value: 'true'
{{- end }}
{{- if .Values.tls.enabled }}
- name: TLS_CERT_FILE
  value: /run/tls/tls.crt
- name: TLS_KEY_FILE
  value: /run/tls/tls.key
{{- if .Values.tls.requireClientCertificate }}
- name: TLS_CLIENT_CA_FILE
  value: /run/tls/ca.crt
{{- end }}
{{- with .Values.tls.clientSans }}
- name: TLS_CLIENT_SANS
  value: {{ join "," . | quote }}
{{- end }}
{{- end }}
{{- with .Values.sharedStore }}
{{- if .url }}
- name: SHARED_STORE_URL
  value: {{ .url | quote }}
- name: SHARED_STORE_KEY_FILE
  value: /run/secrets/shared-store/keys
{{- with .username }}
- name: SHARED_STORE_USERNAME
  value: {{ . | quote }}
{{- end }}
{{- if .passwordKey }}
- name: SHARED_STORE_PASSWORD_FILE
  value: /run/secrets/shared-store/password
{{- end }}
{{- if .caKey }}
- name: SHARED_STORE_CA_FILE
  value: /run/secrets/shared-store/ca.crt
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Whole folders: a file that is mounted by subPath never changes. */}}
{{- define "broker.volumeMounts" -}}
{{- if eq .Values.mode "rules" }}
- name: config
  mountPath: /etc/dex-token-broker
  readOnly: true
{{- end }}
{{- if or .Values.dex.ca.secret .Values.dex.ca.configMap }}
- name: dex-ca
  mountPath: /run/dex-ca
  readOnly: true
{{- end }}
{{- if .Values.client.id }}
- name: secrets
  mountPath: /run/secrets/dex-token-broker
  readOnly: true
{{- end }}
{{- if .Values.tls.enabled }}
- name: tls
  mountPath: /run/tls
  readOnly: true
{{- end }}
{{- if .Values.sharedStore.url }}
- name: shared-store
  mountPath: /run/secrets/shared-store
  readOnly: true
{{- end }}
{{- range .Values.secretMounts }}
- name: secret-{{ . }}
  mountPath: /run/secrets/{{ . }}
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Secrets are readable for the group of the pod, not for others. */}}
{{- define "broker.volumes" -}}
{{- if eq .Values.mode "rules" }}
- name: config
  configMap:
    name: {{ include "broker.fullname" . }}
{{- end }}
{{- with .Values.dex.ca }}
{{- if .secret }}
- name: dex-ca
  secret:
    secretName: {{ .secret }}
    items:
      - key: {{ .key }}
        path: {{ .key }}
    defaultMode: 0440
{{- else if .configMap }}
- name: dex-ca
  configMap:
    name: {{ .configMap }}
{{- end }}
{{- end }}
{{- with .Values.client }}
{{- if .id }}
- name: secrets
  secret:
    secretName: {{ .existingSecret }}
    items:
      - key: {{ .secretKey }}
        path: client-secret
    defaultMode: 0440
{{- end }}
{{- end }}
{{- if .Values.tls.enabled }}
- name: tls
  secret:
    secretName: {{ include "broker.tlsSecret" . }}
    defaultMode: 0440
{{- end }}
{{- with .Values.sharedStore }}
{{- if .url }}
- name: shared-store
  secret:
    secretName: {{ .existingSecret }}
    items:
      - key: {{ .keysKey }}
        path: keys
      {{- with .passwordKey }}
      - key: {{ . }}
        path: password
      {{- end }}
      {{- with .caKey }}
      - key: {{ . }}
        path: ca.crt
      {{- end }}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- range .Values.secretMounts }}
- name: secret-{{ . }}
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "broker.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
# The group of mounted secrets.
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "broker.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop:
    - ALL
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* An issuer `kubernetes` reads the keys of the API server with the token of the pod. */}}
{{- define "broker.needsApiToken" -}}
{{- range .Values.config.issuers -}}
{{- if hasKey . "kubernetes" -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* env, envFrom, volumes and what else both pods have. */}}
{{- define "broker.containerSettings" -}}
image: {{ include "broker.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  {{- include "broker.env" . | nindent 2 }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "broker.securityContext" . | nindent 2 }}
{{- with include "broker.volumeMounts" . | trim }}
volumeMounts:
  {{- . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "broker.podSettings" -}}
serviceAccountName: {{ include "broker.serviceAccountName" . }}
automountServiceAccountToken: {{ include "broker.needsApiToken" . | empty | not }}
# Otherwise every Service of the namespace adds variables beside those below.
enableServiceLinks: false
securityContext:
  {{- include "broker.podSecurityContext" . | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "broker.volumes" . | trim }}
volumes:
  {{- . | nindent 2 }}
{{- end }}
{{- end -}}
