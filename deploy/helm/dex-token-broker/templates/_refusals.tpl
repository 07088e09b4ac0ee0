{{/* What values.schema.json cannot say: rules about more than one value. Each stops Helm with one sentence. */}}
{{- define "broker.refusals" -}}
{{- if not .Values.dex.issuer -}}
{{- fail "dex.issuer is missing. Set it to the issuer in the configuration of your Dex, for example https://dex.example.com/dex." -}}
{{- end -}}
{{- include "broker.refusals.dex" . -}}
{{- include "broker.refusals.mode" . -}}
{{- include "broker.refusals.client" . -}}
{{- include "broker.refusals.tls" . -}}
{{- include "broker.refusals.rest" . -}}
{{- include "broker.refusals.rules" . -}}
{{- include "broker.refusals.env" . -}}
{{- end -}}

{{- define "broker.refusals.dex" -}}
{{- with .Values.dex -}}
{{- if ne (empty .tokenUrl) (empty .jwksUrl) -}}
{{- fail "dex.tokenUrl and dex.jwksUrl belong together: without the key set the broker cannot drop tokens whose key Dex has lost. Set both or none." -}}
{{- end -}}
{{- range list .issuer .tokenUrl .jwksUrl $.Values.gate.jwksUrl -}}
{{- if and (hasPrefix "http://" .) (not $.Values.dex.allowInsecureUrl) -}}
{{- fail (printf "%s is not https. On a network that you trust, set dex.allowInsecureUrl to true." .) -}}
{{- end -}}
{{- end -}}
{{- if and .ca.secret .ca.configMap -}}
{{- fail "dex.ca.secret and dex.ca.configMap are both set. Remove one of them." -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "broker.refusals.mode" -}}
{{- $hasGate := or .Values.gate.audiences .Values.gate.issuer .Values.gate.jwksUrl -}}
{{- if eq .Values.mode "gate" -}}
{{- if not .Values.gate.audiences -}}
{{- fail "mode gate needs gate.audiences: without them a JWT for any other service would pass. Set the audience that callers' JWTs have for this service." -}}
{{- end -}}
{{- if ne (empty .Values.gate.issuer) (empty .Values.gate.jwksUrl) -}}
{{- fail "gate.issuer and gate.jwksUrl belong together: another issuer's JWTs need its keys. Set both, or none for JWTs of Dex." -}}
{{- end -}}
{{- if or (not .Values.client.id) (not .Values.client.existingSecret) -}}
{{- fail "mode gate needs client.id and client.existingSecret: the client of Dex whose tokens callers get, and a Secret with its secret." -}}
{{- end -}}
{{- else if $hasGate -}}
{{- fail (printf "gate is set, but mode is %s, which ignores it. Set mode to gate, or remove gate." .Values.mode) -}}
{{- end -}}
{{- if eq .Values.mode "rules" -}}
{{- if not .Values.config.rules -}}
{{- fail "mode rules needs config.rules. docs/rules.md has examples." -}}
{{- end -}}
{{- else if .Values.config -}}
{{- fail (printf "config is set, but mode is %s, which ignores it. Set mode to rules, or remove config." .Values.mode) -}}
{{- end -}}
{{- if and (eq .Values.mode "header") .Values.client.id (not .Values.allowUnauthenticatedCallers) -}}
{{- fail "mode header with client.id gives every request a token of this client, without asking who sent it. Set mode to gate, or allowUnauthenticatedCallers to true if you want that." -}}
{{- end -}}
{{- if and .Values.allowUnauthenticatedCallers (or (ne .Values.mode "header") (not .Values.client.id)) -}}
{{- fail "allowUnauthenticatedCallers is for mode header with client.id. Remove it." -}}
{{- end -}}
{{- end -}}

{{- define "broker.refusals.client" -}}
{{- if ne (empty .Values.client.id) (empty .Values.client.existingSecret) -}}
{{- fail "client.id and client.existingSecret belong together. Set both or none." -}}
{{- end -}}
{{- if and .Values.client.id (not .Values.client.scope) -}}
{{- fail "client.scope is missing: without it callers choose the scope of the broker's client. Set it, for example to groups." -}}
{{- end -}}
{{- end -}}

{{- define "broker.refusals.tls" -}}
{{- with .Values.tls -}}
{{- if .enabled -}}
{{- if and .certificate.create (not .certificate.issuerRef.name) -}}
{{- fail "tls.certificate.create needs tls.certificate.issuerRef.name, your cert-manager issuer." -}}
{{- end -}}
{{- if not (or .certificate.create .existingSecret) -}}
{{- fail "tls.enabled needs a certificate: set tls.existingSecret, or tls.certificate.create to true for cert-manager." -}}
{{- end -}}
{{- if and .clientSans (not .requireClientCertificate) -}}
{{- fail "tls.clientSans needs tls.requireClientCertificate: without client certificates there are no names to compare." -}}
{{- end -}}
{{- if and .backendTlsPolicy.enabled (not .backendTlsPolicy.caConfigMap) -}}
{{- fail "tls.backendTlsPolicy.caConfigMap is missing: Envoy Gateway needs the authority of the broker's certificate." -}}
{{- end -}}
{{- if and $.Values.securityPolicy.enabled (not .backendTlsPolicy.enabled) -}}
{{- fail "tls.enabled with securityPolicy needs tls.backendTlsPolicy.enabled: otherwise Envoy Gateway speaks plain text to the broker." -}}
{{- end -}}
{{- else if or .existingSecret .certificate.create .requireClientCertificate .clientSans .backendTlsPolicy.enabled -}}
{{- fail "tls has settings, but tls.enabled is false. Set it to true, or remove them." -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "broker.refusals.rest" -}}
{{- if and .Values.securityPolicy.enabled (not .Values.securityPolicy.targetRefs) -}}
{{- fail "securityPolicy.targetRefs is missing. Name the HTTPRoute whose requests the broker checks." -}}
{{- end -}}
{{- if ne (empty .Values.sharedStore.url) (empty .Values.sharedStore.existingSecret) -}}
{{- fail "sharedStore.url and sharedStore.existingSecret belong together: the store holds sealed tokens, and the Secret has the keys. Set both or none." -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled -}}
{{- fail "serviceMonitor and podMonitor are both enabled: Prometheus would count every pod twice. Disable one of them." -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.checksFrom) -}}
{{- fail "networkPolicy.checksFrom is empty, so everybody in the cluster could request tokens. Name the namespace of Envoy, or set networkPolicy.enabled to false." -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas is more than autoscaling.maxReplicas." -}}
{{- end -}}
{{- if and .Values.securityPolicy.contextExtensions (ne .Values.securityPolicy.protocol "grpc") -}}
{{- fail "securityPolicy.contextExtensions needs securityPolicy.protocol grpc: Envoy sends no context over HTTP." -}}
{{- end -}}
{{- if and (or .Values.serviceMonitor.enabled .Values.podMonitor.enabled) .Values.networkPolicy.enabled (not .Values.networkPolicy.metricsFrom) -}}
{{- fail "networkPolicy.metricsFrom is empty, so Prometheus cannot reach the pods that it is told to scrape. Name its namespace." -}}
{{- end -}}
{{- $labels := dict "commonLabels" .Values.commonLabels "podLabels" .Values.podLabels "serviceMonitor.labels" .Values.serviceMonitor.labels "podMonitor.labels" .Values.podMonitor.labels "prometheusRule.labels" .Values.prometheusRule.labels "dashboards.labels" .Values.dashboards.labels -}}
{{- range $place, $map := $labels -}}
{{- range $name, $_ := $map -}}
{{- if regexMatch "^(app\\.kubernetes\\.io/(name|instance|version|managed-by)|helm\\.sh/chart)$" $name -}}
{{- fail (printf "%s sets %s, which the chart sets already. Remove it." $place $name) -}}
{{- end -}}
{{- if and (ne $place "commonLabels") (hasKey $.Values.commonLabels $name) -}}
{{- fail (printf "commonLabels and %s both have %s. Remove one of them." $place $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A rule on what Envoy does not send never matches, and a deny rule that never matches lets requests pass. */}}
{{- define "broker.refusals.rules" -}}
{{- if .Values.securityPolicy.enabled -}}
{{- $sent := concat (list "authorization" "host" "content-length") (include "broker.headersToExtAuth" . | fromYamlArray) -}}
{{- range .Values.config.rules -}}
{{- $rule := .name -}}
{{- $expressions := concat (list .when) (values (.set | default dict)) -}}
{{- range $expression := $expressions -}}
{{- if and (eq $.Values.securityPolicy.protocol "http") (regexMatch "(^|[^.\\w])context\\b" (regexReplaceAll "\"[^\"]*\"|'[^']*'" $expression "")) -}}
{{- fail (printf "The rule %q reads context, which is empty over HTTP. Set securityPolicy.protocol to grpc." $rule) -}}
{{- end -}}
{{- range regexFindAll "request\\.headers\\[\\s*[\"'][^\"']+[\"']|[\"'][^\"']+[\"']\\s+in\\s+request\\.headers\\b" $expression -1 -}}
{{- $header := regexFind "[\"'][^\"']+" . | trimAll "\"'" | lower -}}
{{- if not (has $header $sent) -}}
{{- fail (printf "The rule %q reads the header %s, which Envoy does not send to the broker. Add it to securityPolicy.extraHeadersToExtAuth." $rule $header) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Kubernetes takes the last of two variables of one name, and a variable wins over a setting in the file. */}}
{{- define "broker.refusals.env" -}}
{{- $own := list -}}
{{- range (include "broker.env" . | fromYamlArray) -}}
{{- $own = append $own .name -}}
{{- end -}}
{{- $set := dict -}}
{{- range .Values.extraEnv -}}
{{- $_ := set $set .name "extraEnv" -}}
{{- end -}}
{{- range $name, $value := .Values.config.settings -}}
{{- if and (kindIs "bool" $value) (has $name (list "ACCESS_LOG" "ADMIN_PAGE")) -}}
{{- fail (printf "config.settings.%s is %t: without quotes Helm reads on and off as booleans. Put the word in quotes." $name $value) -}}
{{- end -}}
{{- $_ := set $set $name "config.settings" -}}
{{- end -}}
{{- range $name, $place := $set -}}
{{- if has $name $own -}}
{{- fail (printf "%s sets %s, which the chart sets already. Change the value of the chart." $place $name) -}}
{{- end -}}
{{- if has $name (list "LISTEN_ADDR" "ADMIN_TLS_CERT_FILE" "ADMIN_TLS_KEY_FILE" "CONFIG_FILE") -}}
{{- fail (printf "%s sets %s, but the ports, probes and files of the chart depend on it. Remove it." $place $name) -}}
{{- end -}}
{{- end -}}
{{- $secrets := list -}}
{{- range .Values.config.clients -}}
{{- if kindIs "map" .clientSecret -}}
{{- with .clientSecret.env -}}
{{- $secrets = append $secrets . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if and (hasKey . "value") (or (regexMatch "(SECRET|PASSWORD|TOKEN|_KEY)$" .name) (has .name $secrets) (regexMatch "://[^/]*@" (toString .value))) -}}
{{- fail (printf "extraEnv has %s in plain text. Use valueFrom.secretKeyRef, or the variable %s_FILE and extraVolumes." .name .name) -}}
{{- end -}}
{{- if and (hasKey . "valueFrom") (has .name (list "UPSTREAM_AUTH_HEADER" "UPSTREAM_TOKEN_HEADERS")) -}}
{{- fail (printf "extraEnv has %s from elsewhere, but the policy has to list the headers that it names. Set its value." .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
