// Spoils the deployment's own files one way at a time and sees it reported: a rule that no longer finds what it reads
// looks exactly like files in order.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { reasonToLeaveOut } from '../image/image-tree.mjs'
import { root } from '../workspace/workspace-packages.cjs'
import { deploymentFaults } from './validate-deploy-rules.mjs'

const variableNames = readVariableNames()
const deployment = 'deploy/kubernetes/base/deployment.yaml'
const gateMode = 'deploy/kubernetes/gate-mode/deployment-patch.yaml'
const newPolicy = 'deploy/kubernetes/gate-mode/security-policy-1.8.yaml'
const oldPolicy = 'deploy/kubernetes/header-mode/security-policy-1.7.yaml'
const compose = 'deploy/compose/compose.yaml'
const envoy = 'deploy/compose/envoy.yaml'
const shippedEnvoy = 'deploy/envoy/envoy.yaml'
const grpcEnvoy = 'deploy/envoy/envoy-grpc.yaml'
const grpcPolicy = 'deploy/kubernetes/header-mode/security-policy-grpc.yaml'
const istioProvider = 'deploy/istio/istiod-values.yaml'
const istioPolicy = 'deploy/istio/authorization-policy.yaml'
const storePatch = 'deploy/kubernetes/shared-store/deployment-patch.yaml'
const store = 'deploy/kubernetes/shared-store/store-deployment.yaml'
const storePolicy = 'deploy/kubernetes/shared-store/store-network-policy.yaml'
const workflow = '.github/workflows/ci.yml'
const dockerfile = 'deploy/docker/Dockerfile'

/** `[file, what is there, what is put there, what is reported]` */
const spoiled = [
  [deployment, 'replicas: 2', 'replicas: [', 'Flow sequence'],
  [deployment, 'replicas: 2', 'replicas: 2\n  replicas: 2', 'Map keys must be unique'],
  [deployment, 'apps/v1', 'apps/v1beta1', 'is of apps/v1'],
  [deployment, 'automountServiceAccountToken: false', '', 'mounts a token'],
  [deployment, 'runAsNonRoot: true\n        runAsUser', 'runAsUser', 'the pod may run as root'],
  [deployment, 'readOnlyRootFilesystem: true', '', 'can be written'],
  [deployment, '- ALL', '- NET_RAW', 'not every capability'],
  [
    deployment,
    'path: /readyz\n              port: admin',
    'path: /readyz\n              port: check',
    'readinessProbe',
  ],
  [deployment, 'path: /healthz', 'path: /check', 'livenessProbe'],
  [deployment, 'terminationGracePeriodSeconds: 20', 'terminationGracePeriodSeconds: 15', 'more than 15'],
  [deployment, /dex-token-broker:\d\S+/, 'dex-token-broker:latest', 'pinned neither'],
  [deployment, 'name: DEX_ISSUER', 'name: DEX_ISUER', 'no variable DEX_ISUER'],
  [
    deployment,
    /name: DEX_ISSUER\n.*\n/,
    'name: DEX_TOKEN_URL\n              value: https://dex.example.com/dex/token\n',
    'no DEX_ISSUER',
  ],
  [gateMode, 'STATIC_CLIENT_SECRET_FILE', 'STATIC_CLIENT_SECRET', 'in plain text'],
  [
    gateMode,
    'mountPath: /run/secrets',
    'mountPath: /run/other',
    'STATIC_CLIENT_SECRET_FILE is not in a volume',
  ],
  [
    gateMode,
    'dex-token-broker\n              readOnly',
    'dex-token-broker/client-secret\n              subPath: client-secret\n              readOnly',
    'STATIC_CLIENT_SECRET_FILE is mounted by subPath',
  ],
  [
    storePatch,
    'mountPath: /run/secrets',
    'mountPath: /run/other',
    'SHARED_STORE_KEY_FILE is not in a volume',
  ],
  [storePatch, 'valkey://dex', 'valkey://user:password@dex', 'SHARED_STORE_URL contains user information'],
  [store, 'runAsNonRoot: true\n        runAsUser', 'runAsUser', 'the pod may run as root'],
  [store, 'valkey:8.1.3', 'valkey', 'pinned neither'],
  [store, '--aclfile', '--include', 'everybody who reaches the store'],
  [store, "- 'no'", "- 'yes'", 'writes to a disk'],
  [store, '64mb', "''", 'maxmemory is not set'],
  [store, 'volatile-ttl', 'noeviction', 'refuses records'],
  [store, '- key: users.acl', '- key: keys', 'more of the Secret'],
  [store, /items:\n.*\n.*\n\s*/, '', 'more of the Secret'],
  [storePolicy, /policyTypes:[^i]*/, 'policyTypes: [Ingress]\n  ', 'may open connections'],
  [storePolicy, /from:[\s\S]*broker\n/, 'to: []\n', 'not for the broker alone'],
  [
    'deploy/kubernetes/shared-store/kustomization.yaml',
    'v1alpha1',
    'v1beta1',
    'is of kustomize.config.k8s.io/v1alpha1',
  ],
  ['deploy/kubernetes/base/kustomization.yaml', 'Selectors: false', 'Selectors: true', 'includeSelectors'],
  ['deploy/kubernetes/base/network-policy.yaml', 'port: admin', 'port: check', 'for Envoy alone'],
  [
    'deploy/kubernetes/base/service.yaml',
    'port: 8081',
    'port: 9090',
    'not check 8080, grpc 8082 and admin 8081',
  ],
  ['deploy/kubernetes/base/service.yaml', 'kubernetes.io/h2c', 'http', 'appProtocol of grpc'],
  ['deploy/istio/network-policy-patch.yaml', 'gateway-name: my', 'name: my', 'for Envoy alone'],
  [grpcPolicy, 'failOpen: false', 'failOpen: true', 'failOpen'],
  [grpcPolicy, '- authorization\n', '- cookie\n', 'authorization does not reach'],
  [grpcPolicy, 'port: 8082', 'port: 8080', 'not on port 8082'],
  [grpcPolicy, 'grpc:', 'http:', 'over gRPC alone'],
  [grpcPolicy, 'timeout: 6s', 'timeout: 1s', 'not longer than HTTP_TIMEOUT'],
  [grpcPolicy, 'maxParallelRequests: 8192', 'maxParallelRequests: 1024', 'maxParallelRequests is 1024'],
  [grpcEnvoy, 'failure_mode_allow: false', 'failure_mode_allow: true', 'failure_mode_allow'],
  [grpcEnvoy, 'encode_raw_headers: true', 'encode_raw_headers: false', 'encode_raw_headers'],
  [grpcEnvoy, 'validate_mutations: true', 'validate_mutations: false', 'validate_mutations'],
  [
    grpcEnvoy,
    'encode_raw_headers',
    'with_request_body: {}\n                      encode_raw_headers',
    'the body',
  ],
  [grpcEnvoy, '- { exact: authorization', '- { exact: cookie', 'authorization does not reach'],
  [grpcEnvoy, 'timeout: 6s', 'timeout: 0.2s', 'not longer than HTTP_TIMEOUT'],
  [grpcEnvoy, 'http2_protocol_options:', 'http_protocol_options:', 'does not speak HTTP/2'],
  [grpcEnvoy, 'max_requests: 8192', 'max_requests: 1024', 'max_requests is 1024'],
  [istioProvider, 'failOpen: false', 'failOpen: true', 'failOpen'],
  [istioProvider, "statusOnError: '503'", '', 'statusOnError'],
  [istioProvider, 'timeout: 6s', '', 'not longer than HTTP_TIMEOUT'],
  [istioProvider, 'port: 8082', 'port: 8080', 'the port is not 8082'],
  [istioPolicy, '- {}', '[]', 'not every request'],
  [istioPolicy, 'action: CUSTOM', 'action: ALLOW', 'is not asked'],
  ['deploy/kubernetes/base/service-account.yaml', 'Token: false', 'Token: true', 'is mounted'],
  [newPolicy, 'failOpen: false', 'failOpen: true', 'failOpen'],
  [newPolicy, 'failOpen: false', '', 'failOpen'],
  [newPolicy, 'pathOverride: /check', '', 'http.pathOverride is not /check'],
  [newPolicy, 'pathOverride: /check', 'path: /check', 'http.path does not belong'],
  [newPolicy, 'statusOnError: 503', '', 'statusOnError'],
  [newPolicy, 'connectionIdleTimeout: 55s', 'connectionIdleTimeout: 75s', 'idle connections'],
  [newPolicy, 'maxConnections: 8192', 'maxConnections: 4096', 'maxConnections is 4096, not more than'],
  [oldPolicy, /maxPendingRequests: 8192\n\s*/, '', 'maxPendingRequests is 1024, not more than'],
  [shippedEnvoy, 'max_pending_requests: 8192', 'max_pending_requests: 1024', 'max_pending_requests is 1024'],
  [oldPolicy, 'path: /check', 'pathOverride: /check', 'http.path is not /check'],
  [oldPolicy, 'timeout: 6s', 'timeout: 5s', 'not longer than HTTP_TIMEOUT'],
  [compose, 'LOG_FORMAT', 'LOG_FORM', 'no variable LOG_FORM'],
  [compose, 'DEX_ISSUER: http://dex:5556/dex', 'DEX_TOKEN_URL: http://dex:5556/dex/token', 'no DEX_ISSUER'],
  [compose, '127.0.0.1:10000', '10000', 'is published on'],
  [compose, 'whoami:v1.11.0', 'whoami', 'the image of backend has no version'],
  [envoy, 'failure_mode_allow: false', 'failure_mode_allow: true', 'failure_mode_allow'],
  [envoy, 'path_prefix: /check', 'path_prefix: /', 'path_prefix'],
  [envoy, 'idle_timeout: 55s', 'idle_timeout: 3600s', 'idle connections'],
  [envoy, 'port_value: 8081', 'port_value: 8080', 'health check is not on 8081'],
  [workflow, 'permissions: {}', 'permissions: { contents: write }', 'permissions at the top'],
  [workflow, 'timeout-minutes: 60', '', 'everything has no timeout'],
  [workflow, 'persist-credentials: false', 'fetch-depth: 1', 'leaves its token'],
  [workflow, /@[0-9a-f]{40} # v/, '@v7 # v', 'not pinned by a full commit hash'],
  [workflow, /(@[0-9a-f]{40}) # v/, '$1 # V', 'no comment with its version'],
  [dockerfile, 'USER 65532:65532', 'USER nonroot', 'USER'],
  [dockerfile, /ENTRYPOINT \[.*\]/, 'ENTRYPOINT node dist/command.js', 'shell'],
  [dockerfile, '"--disable-sigusr1", ', '', 'SIGUSR1'],
  [dockerfile, 'debian13:nonroot', 'debian13', 'no version'],
  [dockerfile, 'PNPM_VERSION=', 'PNPM_VERSION=1', 'PNPM_VERSION is not'],
]

test('the files are in order', () => {
  assert.deepEqual(faultsWith(), [])
})

for (const [file, found, replacement, reported] of spoiled) {
  test(`${file} with ${JSON.stringify(replacement)} is reported: ${reported}`, () => {
    const text = read(file)
    assert.notEqual(text.replace(found, replacement), text, 'nothing was replaced')
    const faults = faultsWith(file, text.replace(found, replacement))
    assert.ok(
      faults.some(fault => fault.startsWith(file) && fault.includes(reported)),
      faults.join('\n') || 'nothing reported',
    )
  })
}

test('what the server needs at run time is in the image, and nothing else', () => {
  const needed = [
    'dist/cli.js',
    'package.json',
    'node_modules/pino/lib/transport.js',
    'node_modules/zod/LICENSE',
  ]
  const others = [
    'pnpm-lock.yaml',
    'node_modules/.modules.yaml',
    'node_modules/.bin/pino',
    'dist/cli.d.ts',
    'dist/cli.js.map',
    'node_modules/zod/src/index.ts',
    'node_modules/pino/test/basic.test.js',
    'node_modules/pino/examples/basic.js',
    'node_modules/hono/dist/helper.test.js',
  ]
  assert.deepEqual(needed.filter(reasonToLeaveOut), [])
  assert.deepEqual(
    others.filter(file => !reasonToLeaveOut(file)),
    [],
  )
})

function faultsWith(file, text) {
  const files = new Map(
    [...new Set(spoiled.map(([name]) => name)), 'pnpm-workspace.yaml'].map(name => [name, read(name)]),
  )
  if (file) files.set(file, text)
  return deploymentFaults(files, variableNames)
}

function read(file) {
  return readFileSync(path.join(root, file), 'utf8')
}

/** Without a build: the generated page has a heading for each. */
function readVariableNames() {
  return [...read('docs/configuration.md').matchAll(/^### ([A-Z_]+)$/gm)].map(([, name]) => name)
}
