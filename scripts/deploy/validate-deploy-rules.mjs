// Rules for the files of deploy/ and .github/. Every rule takes what it needs and returns its findings as text.
import { parseAllDocuments } from 'yaml'

const pinnedAction = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/
const localAction = /^\.\/\.github\//
const adminPort = 8081
const checkPort = 8080
const grpcPort = 8082
/** The broker warns of a certificate 14 days before its end. */
const warnedHours = 14 * 24
/** The default of MAX_WAITING_CHECKS. */
const maxWaitingChecks = 4_096

/** `files`: text by path. `variableNames`: what the server is configured by. */
export function deploymentFaults(files, variableNames) {
  const documents = [...files].filter(([file]) => /\.ya?ml$/.test(file)).map(parse)
  const faults = documents.flatMap(({ faults }) => faults)
  for (const { file, text, values } of documents) {
    const report = problem => faults.push(`${file}: ${problem}`)
    for (const value of values) {
      if (value === null) report('an empty document')
      else for (const rule of rulesFor(file, value)) rule(value, report, { file, text, variableNames })
    }
  }
  const dockerfile = files.get('deploy/docker/Dockerfile') ?? ''
  checkDockerfile(dockerfile, problem => faults.push(`deploy/docker/Dockerfile: ${problem}`), files)
  return faults
}

function parse([file, text]) {
  const parsed = parseAllDocuments(text, { uniqueKeys: true })
  const faults = parsed.flatMap(({ errors, warnings }) =>
    [...errors, ...warnings].map(({ message }) => `${file}: ${message}`),
  )
  return { file, text, faults, values: faults.length > 0 ? [] : parsed.map(document => document.toJS()) }
}

function rulesFor(file, value) {
  if (file === 'deploy/istio/istiod-values.yaml') return [checkIstioProvider]
  if (file.startsWith('deploy/kubernetes/') || file.startsWith('deploy/istio/'))
    return [checkKubernetesObject, ...(rulesOfKind[value.kind] ?? [])]
  if (file === 'deploy/compose/compose.yaml') return [checkCompose]
  if (file === 'deploy/compose/envoy.yaml') return [checkEnvoy]
  if (file === 'deploy/envoy/envoy.yaml') return [checkEnvoyPools]
  if (file === 'deploy/envoy/envoy-grpc.yaml') return [checkEnvoyOverGrpc]
  if (file.startsWith('.github/workflows/')) return [checkWorkflow]
  if (file.startsWith('.github/actions/')) return [checkLocalAction]
  return []
}

// Kubernetes

const apiVersions = {
  AuthorizationPolicy: 'security.istio.io/v1',
  BackendTLSPolicy: 'gateway.networking.k8s.io/v1',
  Certificate: 'cert-manager.io/v1',
  Component: 'kustomize.config.k8s.io/v1alpha1',
  Deployment: 'apps/v1',
  Kustomization: 'kustomize.config.k8s.io/v1beta1',
  NetworkPolicy: 'networking.k8s.io/v1',
  PodDisruptionBudget: 'policy/v1',
  SecurityPolicy: 'gateway.envoyproxy.io/v1alpha1',
  Service: 'v1',
  ServiceAccount: 'v1',
}

/** The Deployment, Service and NetworkPolicy of the shared store. */
const storeName = 'dex-token-broker-store'
const withoutName = ['Component', 'Kustomization']

const rulesOfKind = {
  AuthorizationPolicy: [checkAuthorizationPolicy],
  BackendTLSPolicy: [checkBackendTlsPolicy],
  Certificate: [checkCertificate],
  Deployment: [checkDeployment],
  Kustomization: [checkKustomization],
  NetworkPolicy: [checkNetworkPolicy],
  SecurityPolicy: [checkSecurityPolicy],
  Service: [checkService],
  ServiceAccount: [checkServiceAccount],
}

function checkKubernetesObject({ apiVersion, kind, metadata }, report) {
  if (!Object.hasOwn(apiVersions, kind)) report(`kind ${kind} has no rules yet`)
  else if (apiVersion !== apiVersions[kind]) report(`${kind} is of ${apiVersions[kind]}, not ${apiVersion}`)
  if (!withoutName.includes(kind) && !metadata?.name) report(`${kind} has no name`)
}

function checkDeployment({ metadata, spec }, report, { file, variableNames }) {
  const pod = spec.template.spec
  if (metadata.name === storeName) return checkStoreDeployment(pod, report)
  for (const container of pod.containers) {
    checkNames(environmentNames(container.env), variableNames, report)
    checkSecrets(container.env, report)
    checkFiles(container, report)
  }
  if (file.endsWith('-patch.yaml')) return
  checkPod(pod, report)
  for (const container of pod.containers) {
    checkProbes(container, report)
    checkStop(pod, container, report)
    checkIssuer(environmentNames(container.env), report)
  }
  if (spec.replicas < 2) report('one replica is an outage at every update')
}

function checkPod(pod, report) {
  if (pod.automountServiceAccountToken !== false) report('the pod mounts a token of the Kubernetes API')
  if (pod.securityContext?.runAsNonRoot !== true) report('the pod may run as root')
  for (const container of pod.containers) checkContainer(container, report)
}

function checkContainer({ image, securityContext = {}, resources = {} }, report) {
  if (!/:\d|@sha256:/.test(image)) report(`${image} is pinned neither by version nor by digest`)
  if (securityContext.runAsNonRoot !== true) report('the container may run as root')
  if (securityContext.readOnlyRootFilesystem !== true) report('the file system can be written')
  if (securityContext.allowPrivilegeEscalation !== false) report('privileges can be raised')
  if (securityContext.seccompProfile?.type !== 'RuntimeDefault') report('no seccomp profile')
  if (securityContext.capabilities?.drop?.join() !== 'ALL') report('not every capability is dropped')
  if (!resources.requests?.cpu || !resources.limits?.memory)
    report('CPU is not requested or memory has no limit')
}

function checkProbes({ ports, ...probes }, report) {
  const expected = { readinessProbe: '/readyz', livenessProbe: '/healthz' }
  for (const [probe, expectedPath] of Object.entries(expected)) {
    const { path, port } = probes[probe]?.httpGet ?? {}
    const number = ports.find(({ name }) => name === port)?.containerPort ?? port
    if (path !== expectedPath || number !== adminPort)
      report(`${probe} is not ${expectedPath} on port ${adminPort}`)
  }
}

function checkStoreDeployment(pod, report) {
  checkPod(pod, report)
  const args = pod.containers.flatMap(container => container.args)
  const argumentOf = option => args[args.indexOf(option) + 1]
  if (!args.includes('--aclfile')) report('everybody who reaches the store may use it')
  if (argumentOf('--save') !== '' || argumentOf('--appendonly') !== 'no') report('the store writes to a disk')
  if (!/^\d+mb$/.test(argumentOf('--maxmemory'))) report('maxmemory is not set')
  if (!argumentOf('--maxmemory-policy').startsWith('volatile-'))
    report('a full store refuses records, or drops names without an end')
  for (const { secret } of pod.volumes) {
    if (!secret?.items || secret.items.some(({ key }) => key !== 'users.acl'))
      report('the store gets more of the Secret than users.acl')
  }
}

function checkStop(pod, { env, lifecycle }, report) {
  const sleepSeconds = lifecycle?.preStop?.sleep?.seconds ?? 0
  const shutdownTimeout = env.find(({ name }) => name === 'SHUTDOWN_TIMEOUT')?.value ?? '10s'
  const neededSeconds = sleepSeconds + seconds(shutdownTimeout)
  if (sleepSeconds === 0) report('preStop does not sleep: Envoy still sends checks to a pod that is stopping')
  if (!(pod.terminationGracePeriodSeconds > neededSeconds)) {
    report(
      `terminationGracePeriodSeconds has to be more than ${neededSeconds}, for preStop and SHUTDOWN_TIMEOUT`,
    )
  }
}

function checkSecrets(env, report) {
  for (const { name, value } of env) {
    if (/SECRET$/.test(name) && value) report(`${name} is in plain text`)
    if (/_URL$/.test(name) && value?.includes('@')) report(`${name} contains user information`)
  }
}

/** The broker reads its files again when they change; Kubernetes never changes a file that is mounted by subPath. */
function checkFiles({ env, volumeMounts = [] }, report) {
  for (const { name, value = '' } of env) {
    if (!/_FILE$/.test(name)) continue
    const mount = volumeMounts.find(
      ({ mountPath }) => value === mountPath || value.startsWith(`${mountPath}/`),
    )
    if (!mount) report(`${name} is not in a volume`)
    else if (mount.subPath) report(`${name} is mounted by subPath`)
  }
}

/** By its issuer alone the broker finds Dex's key set, and drops tokens whose key Dex has lost. */
function checkIssuer(names, report) {
  if (!names.includes('DEX_ISSUER')) report('no DEX_ISSUER')
}

/** With TLS, the base's names of the protocols would make the gateway speak plain text. */
function checkServiceWithTls({ spec }, report) {
  const byName = Object.fromEntries(spec.ports.map(({ name, appProtocol }) => [name, appProtocol]))
  if (byName.check !== 'https') report('appProtocol of check is not https')
  if (byName.grpc !== 'kubernetes.io/h2') report('appProtocol of grpc is not kubernetes.io/h2')
}

function checkBackendTlsPolicy({ spec }, report) {
  const { hostname, caCertificateRefs = [] } = spec.validation ?? {}
  if (!hostname || caCertificateRefs.length === 0) report('the certificate of the broker is not checked')
  const ports = spec.targetRefs.map(({ sectionName }) => sectionName)
  if (ports.toSorted().join() !== 'check,grpc') report('not the ports check and grpc')
}

function checkCertificate({ spec }, report) {
  if (spec.privateKey?.rotationPolicy !== 'Always') report('the key is never replaced')
  const hours = text => Number(/^(\d+)h$/.exec(text)?.[1])
  if (!(hours(spec.renewBefore) > warnedHours))
    report('the certificate is renewed after the broker warns of it')
}

function checkService({ metadata, spec }, report, { file }) {
  if (metadata.name === storeName) return
  if (file.endsWith('-patch.yaml')) return checkServiceWithTls({ spec }, report)
  const byName = Object.fromEntries(spec.ports.map(({ name, port }) => [name, port]))
  if (byName.check !== checkPort || byName.grpc !== grpcPort || byName.admin !== adminPort)
    report(`not check ${checkPort}, grpc ${grpcPort} and admin ${adminPort}`)
  const { appProtocol } = spec.ports.find(({ name }) => name === 'grpc') ?? {}
  if (appProtocol !== 'kubernetes.io/h2c') report('appProtocol of grpc is not kubernetes.io/h2c')
}

function checkServiceAccount({ automountServiceAccountToken }, report) {
  if (automountServiceAccountToken !== false) report('a token of the Kubernetes API is mounted')
}

function checkNetworkPolicy({ metadata, spec }, report) {
  if (metadata.name === storeName) return checkStorePolicy(spec, report)
  const toChecks = spec.ingress.filter(({ ports = [{}] }) =>
    ports.some(({ port }) => [undefined, 'check', checkPort, 'grpc', grpcPort].includes(port)),
  )
  const fromEnvoyAlone = ({ from = [] }) => from.length === 1 && isEnvoy(from[0].podSelector?.matchLabels)
  if (!spec.policyTypes.includes('Ingress')) report('what comes in is not restricted')
  if (toChecks.length !== 1 || !toChecks.every(fromEnvoyAlone))
    report('the check ports are not for Envoy alone')
}

function checkStorePolicy({ policyTypes, ingress, egress = [] }, report) {
  if (policyTypes.toSorted().join() !== 'Egress,Ingress' || egress.length > 0)
    report('the store may open connections')
  const brokers = ingress.flatMap(({ from = [{}] }) => from)
  const isBroker = ({ namespaceSelector, podSelector }) =>
    !namespaceSelector && podSelector?.matchLabels['app.kubernetes.io/name'] === 'dex-token-broker'
  if (!brokers.every(isBroker)) report('the store is not for the broker alone')
}

/** The pods of Envoy Gateway, or of a gateway of Istio. */
function isEnvoy(labels = {}) {
  return labels['app.kubernetes.io/name'] === 'envoy' || 'gateway.networking.k8s.io/gateway-name' in labels
}

function checkKustomization({ labels = [] }, report) {
  if (labels.some(({ includeSelectors }) => includeSelectors)) {
    report('includeSelectors overwrites the label of Envoy in the network policy')
  }
}

/** The versions of Envoy Gateway differ, and rules may read the path: the file's name says for what it is. */
function checkSecurityPolicy({ spec }, report, { file }) {
  const { failOpen, statusOnError, timeout, http, grpc } = spec.extAuth
  const { circuitBreaker = {} } = (http ?? grpc)?.backendSettings ?? {}
  for (const limit of ['maxConnections', 'maxPendingRequests', 'maxParallelRequests']) {
    checkPool(limit, circuitBreaker[limit], report)
  }
  const hasStatusOnError = !file.endsWith('-1.7.yaml')
  const fixedPath = hasStatusOnError && !file.endsWith('-rules.yaml')
  const [pathField, otherField] = fixedPath ? ['pathOverride', 'path'] : ['path', 'pathOverride']
  if (failOpen !== false) report('failOpen is not false')
  if (!(seconds(timeout ?? '0s') > 5)) report('timeout is not longer than HTTP_TIMEOUT')
  if (statusOnError !== (hasStatusOnError ? 503 : undefined))
    report('statusOnError: 503 is for Envoy Gateway 1.8 and newer')
  if (file.endsWith('-grpc.yaml')) return checkGrpcPolicy(spec.extAuth, report)
  if (http[pathField] !== '/check') report(`http.${pathField} is not /check`)
  if (otherField in http) report(`http.${otherField} does not belong here`)
  if (!http.headersToBackend?.includes('authorization')) report('the token does not reach the backend')
  const { connectionIdleTimeout } = http.backendSettings?.timeout?.http ?? {}
  checkIdleTimeout(connectionIdleTimeout, report)
}

function checkGrpcPolicy({ http, grpc, headersToExtAuth = [], bodyToExtAuth }, report) {
  if (http !== undefined || grpc === undefined) report('checks do not go over gRPC alone')
  else if (grpc.backendRefs?.some(({ port }) => port !== grpcPort))
    report(`a backendRef is not on port ${grpcPort}`)
  // Without a list every header is sent; with one, authorization only when it is in it.
  if (!headersToExtAuth.includes('authorization')) report('authorization does not reach the broker')
  if (bodyToExtAuth !== undefined) report('the body goes into the check')
}

// Istio

function checkIstioProvider({ meshConfig }, report) {
  const [{ name, envoyExtAuthzGrpc: grpc = {} } = {}] = meshConfig.extensionProviders ?? []
  if (name !== 'dex-token-broker') report('no provider dex-token-broker')
  if (grpc.port !== grpcPort) report(`the port is not ${grpcPort}`)
  if (grpc.failOpen !== false) report('failOpen is not false')
  if (grpc.statusOnError !== '503') report("statusOnError is not '503'")
  if (!(seconds(grpc.timeout ?? '0s') > 5)) report('timeout is not longer than HTTP_TIMEOUT')
  if (grpc.includeRequestBodyInCheck !== undefined) report('the body goes into the check')
}

function checkAuthorizationPolicy({ spec }, report) {
  if (spec.action !== 'CUSTOM' || spec.provider?.name !== 'dex-token-broker')
    report('the provider dex-token-broker is not asked')
  // No rules at all would match nothing, and let every request pass without a check.
  if (!spec.rules?.some(rule => Object.keys(rule).length === 0)) report('not every request is checked')
  if (!spec.targetRefs && !spec.selector) report('no gateway and no workload is named')
}

// Compose and Envoy

function checkCompose({ services }, report, { variableNames }) {
  const { environment, ports, read_only: readOnly } = services.broker
  checkNames(Object.keys(environment), variableNames, report)
  checkIssuer(Object.keys(environment), report)
  if (ports) report('the check port is published')
  if (readOnly !== true) report('the file system of the broker can be written')
  for (const [name, { image = '', ports = [] }] of Object.entries(services)) {
    if (image.endsWith(':latest') || !image.includes(':')) report(`the image of ${name} has no version`)
    for (const port of ports) if (!port.startsWith('127.0.0.1:')) report(`${name} is published on ${port}`)
  }
}

function checkEnvoy({ static_resources: { listeners, clusters } }, report) {
  checkEnvoyPools({ static_resources: { clusters } }, report)
  const manager = listeners[0].filter_chains[0].filters[0].typed_config
  const filter = manager.http_filters.find(({ name }) => name === 'envoy.filters.http.ext_authz').typed_config
  const broker = clusters.find(({ name }) => name === filter.http_service.server_uri.cluster)
  if (filter.failure_mode_allow !== false) report('failure_mode_allow is not false')
  if (filter.status_on_error?.code !== 'ServiceUnavailable') report('status_on_error is not 503')
  if (filter.http_service.path_prefix !== '/check') report('path_prefix is not /check')
  if (!filter.http_service.retry_policy) report('no retry_policy')
  if (!(seconds(filter.http_service.server_uri.timeout) > 5))
    report('timeout is not longer than HTTP_TIMEOUT')
  if (!manager.normalize_path || !manager.merge_slashes) report("the client's path is not normalised")
  const protocol = Object.values(broker.typed_extension_protocol_options ?? {})[0]
  checkIdleTimeout(protocol?.common_http_protocol_options?.idle_timeout, report)
  const { endpoint } = broker.load_assignment.endpoints[0].lb_endpoints[0]
  if (broker.health_checks?.[0].http_health_check.path !== '/readyz')
    report('the health check is not /readyz')
  if (endpoint.health_check_config?.port_value !== adminPort)
    report(`the health check is not on ${adminPort}`)
}

function checkEnvoyOverGrpc({ static_resources: { listeners, clusters } }, report) {
  checkEnvoyPools({ static_resources: { clusters } }, report)
  const manager = listeners[0].filter_chains[0].filters[0].typed_config
  const filter = manager.http_filters.find(({ name }) => name === 'envoy.filters.http.ext_authz').typed_config
  const service = filter.grpc_service ?? {}
  const broker = clusters.find(({ name }) => name === service.envoy_grpc?.cluster_name) ?? {}
  if (filter.failure_mode_allow !== false) report('failure_mode_allow is not false')
  if (filter.status_on_error?.code !== 'ServiceUnavailable') report('status_on_error is not 503')
  if (filter.validate_mutations !== true) report('validate_mutations is not true')
  if (filter.encode_raw_headers !== true) report('encode_raw_headers is not true')
  if (filter.with_request_body !== undefined) report('the body goes into the check')
  if (!filter.allowed_headers?.patterns.some(({ exact }) => exact === 'authorization'))
    report('authorization does not reach the broker')
  if (!service.retry_policy) report('no retry_policy')
  if (!(seconds(service.timeout ?? '0s') > 5)) report('timeout is not longer than HTTP_TIMEOUT')
  if (!manager.normalize_path || !manager.merge_slashes) report("the client's path is not normalised")
  const [protocol] = Object.values(broker.typed_extension_protocol_options ?? {})
  if (!protocol?.explicit_http_config?.http2_protocol_options) report('the cluster does not speak HTTP/2')
  const { grpc_health_check: health } = broker.health_checks?.[0] ?? {}
  if (health?.service_name !== 'envoy.service.auth.v3.Authorization')
    report('the health check does not ask for envoy.service.auth.v3.Authorization')
  const { endpoint } = broker.load_assignment?.endpoints[0].lb_endpoints[0] ?? {}
  if (endpoint?.address.socket_address.port_value !== grpcPort) report(`the broker is not on ${grpcPort}`)
}

function checkEnvoyPools({ static_resources: { clusters } }, report) {
  for (const { name, circuit_breakers: breakers } of clusters) {
    if (name !== 'broker' && name !== 'dex_token_broker') continue
    const [thresholds = {}] = breakers?.thresholds ?? []
    for (const limit of ['max_connections', 'max_pending_requests', 'max_requests']) {
      checkPool(limit, thresholds[limit], report)
    }
  }
}

/** A waiting check holds a connection; the pool must be larger than the checks that may wait. */
function checkPool(name, limit = 1_024, report) {
  if (limit <= maxWaitingChecks)
    report(`${name} is ${limit}, not more than the ${maxWaitingChecks} checks that may wait`)
}

/** The broker keeps idle connections for 75 s. */
function checkIdleTimeout(timeout, report) {
  if (!timeout || !(seconds(timeout) < 75)) report('Envoy keeps idle connections longer than the broker')
}

// GitHub

function checkWorkflow({ permissions, concurrency, jobs }, report, { text }) {
  if (!permissions || Object.keys(permissions).length > 0) report('permissions at the top are not {}')
  if (!concurrency) report('no concurrency group')
  for (const [name, job] of Object.entries(jobs)) {
    if (!job.permissions) report(`${name} has no permissions block`)
    if (job.uses) checkAction(job, text, report)
    else if (!job['timeout-minutes']) report(`${name} has no timeout`)
    for (const step of job.steps ?? []) checkAction(step, text, report)
  }
}

function checkLocalAction({ runs }, report, { text }) {
  for (const step of runs.steps) checkAction(step, text, report)
}

function checkAction({ uses, with: inputs = {} }, text, report) {
  if (!uses || localAction.test(uses)) return
  if (!pinnedAction.test(uses)) report(`${uses} is not pinned by a full commit hash`)
  const lines = text.split('\n').filter(line => line.includes(uses))
  if (!lines.every(line => / # v\d+\.\d+\.\d+$/.test(line))) report(`${uses} has no comment with its version`)
  if (uses.startsWith('actions/checkout@') && inputs['persist-credentials'] !== false) {
    report('actions/checkout leaves its token in the work tree')
  }
}

// Dockerfile

function checkDockerfile(text, report, files) {
  const instructions = text.replaceAll('\\\n', ' ').split('\n')
  const last = name => instructions.findLast(line => line.trimStart().startsWith(`${name} `))?.trim() ?? ''
  const images = instructions.filter(line => line.startsWith('FROM ')).map(line => line.split(' AS ')[0])
  for (const image of images)
    if (!/:[^:/]+$/.test(image) || image.endsWith(':latest')) report(`no version: ${image}`)
  if (!/^USER [1-9]\d*(:[1-9]\d*)?$/.test(last('USER')))
    report('USER is not the number of an unprivileged user')
  if (!last('ENTRYPOINT').startsWith('ENTRYPOINT ['))
    report('ENTRYPOINT goes through a shell, which keeps SIGTERM')
  if (!last('ENTRYPOINT').includes('"--disable-sigusr1"'))
    report('SIGUSR1 opens the debugger: ENTRYPOINT lacks --disable-sigusr1')
  const exposed = `${checkPort} ${grpcPort} ${adminPort}`
  if (last('EXPOSE') !== `EXPOSE ${exposed}`) report(`EXPOSE is not ${exposed}`)
  const pinned = files.get('pnpm-workspace.yaml')?.match(/^ +pnpm: +(\d\S*)$/m)?.[1]
  if (!text.includes(`ARG PNPM_VERSION=${pinned}\n`))
    report(`PNPM_VERSION is not ${pinned}, as in pnpm-workspace.yaml`)
}

// Shared

function environmentNames(env = []) {
  return env.map(({ name }) => name)
}

function checkNames(names, variableNames, report) {
  for (const name of names) if (!variableNames.includes(name)) report(`the server knows no variable ${name}`)
}

function seconds(duration) {
  return Number(/^(\d+)s$/.exec(duration)?.[1])
}
