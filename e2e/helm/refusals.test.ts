import { expect, test } from 'vitest'
import { helm, needsHelm } from './helm.ts'
import { exampleValues } from './release-values.ts'

type Settings = Readonly<Record<string, unknown>>

const header = exampleValues('header')
const gate = exampleValues('gate')
const rules = exampleValues('rules')
const config = rules['config'] as Settings
const client = gate['client'] as Settings
const policy = rules['securityPolicy'] as Settings

/** The fault, the values, and the words of Helm. */
const refused: readonly (readonly [string, Settings, string])[] = [
  ['no issuer', {}, 'dex.issuer is missing. Set it to the issuer in the configuration of your Dex'],
  [
    'an issuer that is not a URL',
    { dex: { issuer: 'dex' } },
    "- at '/dex/issuer': 'dex' does not match pattern",
  ],
  [
    'an issuer over http',
    { dex: { issuer: 'http://dex:5556/dex' } },
    'is not https. On a network that you trust',
  ],
  [
    'a token endpoint without a key set',
    { dex: { issuer: 'https://dex', tokenUrl: 'https://dex/token' } },
    'dex.tokenUrl and dex.jwksUrl belong together',
  ],
  [
    'two authorities',
    { dex: { issuer: 'https://dex', ca: { secret: 'a', configMap: 'b' } } },
    'dex.ca.secret and dex.ca.configMap are both set.',
  ],
  [
    'an unknown mode',
    { ...header, mode: 'jwt' },
    "- at '/mode': value must be one of 'header', 'gate', 'rules'",
  ],
  ['a misspelt value', { ...header, replicaCount: 3 }, "additional properties 'replicaCount' not allowed"],
  ['a misspelt value inside', { dex: { isuer: 'https://dex' } }, "additional properties 'isuer' not allowed"],
  ['a wrong type', { ...header, replicas: 'three' }, "- at '/replicas': got string, want integer"],
  ['a gate without audience', { ...gate, gate: { audiences: [] } }, 'mode gate needs gate.audiences'],
  ['a gate without client', { ...gate, client: {} }, 'mode gate needs client.id and client.existingSecret'],
  [
    'another issuer without its keys',
    { ...gate, gate: { audiences: ['a'], issuer: 'https://idp' } },
    'gate.issuer and gate.jwksUrl belong together',
  ],
  [
    'keys of another issuer over http',
    { ...gate, gate: { audiences: ['a'], issuer: 'https://idp', jwksUrl: 'http://idp/keys' } },
    'http://idp/keys is not https.',
  ],
  [
    'a gate in mode header',
    { ...gate, mode: 'header' },
    'gate is set, but mode is header, which ignores it.',
  ],
  ['a gate in mode rules', { ...rules, gate: { audiences: ['a'] } }, 'gate is set, but mode is rules'],
  [
    'a client without a gate',
    { ...header, client },
    'mode header with client.id gives every request a token',
  ],
  [
    'callers without a gate, and no client',
    { ...header, allowUnauthenticatedCallers: true },
    'allowUnauthenticatedCallers is for mode header with client.id.',
  ],
  [
    'callers without credentials in mode gate',
    { ...gate, allowUnauthenticatedCallers: true },
    'allowUnauthenticatedCallers is for mode header with client.id.',
  ],
  [
    'a client without a secret',
    { ...rules, client: { id: 'orders', scope: 'groups' } },
    'client.id and client.existingSecret belong together.',
  ],
  ['a client without a scope', { ...gate, client: { ...client, scope: '' } }, 'client.scope is missing'],
  [
    'a secret in the values',
    { ...gate, client: { ...client, secret: 'x' } },
    "properties 'secret' not allowed",
  ],
  ['rules in mode header', { ...rules, mode: 'header' }, 'config is set, but mode is header'],
  [
    'mode rules without rules',
    { mode: 'rules', dex: header['dex'], config: { apiVersion: 'dex-token-broker/v1' } },
    'mode rules needs config.rules.',
  ],
  [
    'a misspelt key of the configuration file',
    { ...rules, config: { ...config, rules: [{ name: 'a', wen: 'true', deny: 'closed' }] } },
    "- at '/config/rules/0'",
  ],
  [
    'a literal secret in the configuration file',
    { ...rules, config: { ...config, clients: [{ name: 'a', clientId: 'a', clientSecret: 'x' }] } },
    "- at '/config/clients/0/clientSecret': got string, want object",
  ],
  ['TLS without a certificate', { ...header, tls: { enabled: true } }, 'tls.enabled needs a certificate'],
  [
    'a certificate without an issuer',
    { ...header, tls: { enabled: true, certificate: { create: true } } },
    'tls.certificate.create needs tls.certificate.issuerRef.name',
  ],
  [
    'names of callers without certificates',
    { ...header, tls: { enabled: true, existingSecret: 'a', clientSans: ['envoy'] } },
    'tls.clientSans needs tls.requireClientCertificate',
  ],
  [
    'TLS that Envoy Gateway does not know of',
    { ...header, tls: { enabled: true, existingSecret: 'a' } },
    'tls.enabled with securityPolicy needs tls.backendTlsPolicy.enabled',
  ],
  [
    'a policy without an authority',
    { ...header, tls: { enabled: true, existingSecret: 'a', backendTlsPolicy: { enabled: true } } },
    'tls.backendTlsPolicy.caConfigMap is missing',
  ],
  [
    'TLS that is off',
    { ...header, tls: { existingSecret: 'a' } },
    'tls has settings, but tls.enabled is false.',
  ],
  [
    'a policy without a route',
    { ...header, securityPolicy: { enabled: true } },
    'securityPolicy.targetRefs is missing.',
  ],
  [
    'an unknown protocol',
    { ...header, securityPolicy: { protocol: 'h2' } },
    "- at '/securityPolicy/protocol': value must be one of 'http', 'grpc'",
  ],
  [
    'a store without keys',
    { ...header, sharedStore: { url: 'redis://a:6379' } },
    'sharedStore.url and sharedStore.existingSecret belong together',
  ],
  [
    'a password in the URL of the store',
    { ...header, sharedStore: { url: 'redis://user:password@a:6379', existingSecret: 'a' } },
    "- at '/sharedStore/url': 'redis://user:password@a:6379' does not match pattern",
  ],
  [
    'a context over HTTP',
    { ...header, securityPolicy: { contextExtensions: { tenant: 'a' } } },
    'securityPolicy.contextExtensions needs securityPolicy.protocol grpc',
  ],
  [
    'a monitor of pods that Prometheus cannot reach',
    { ...header, podMonitor: { enabled: true }, networkPolicy: { metricsFrom: [] } },
    'networkPolicy.metricsFrom is empty',
  ],
  [
    'a label twice',
    { ...header, commonLabels: { team: 'a' }, podLabels: { team: 'b' } },
    'commonLabels and podLabels both have team.',
  ],
  [
    'a label that selects pods',
    { ...header, commonLabels: { 'app.kubernetes.io/name': 'a' } },
    'commonLabels sets app.kubernetes.io/name, which the chart sets already.',
  ],
  [
    'two monitors',
    { ...header, serviceMonitor: { enabled: true }, podMonitor: { enabled: true } },
    'serviceMonitor and podMonitor are both enabled',
  ],
  [
    'a minimum above the maximum',
    { ...header, autoscaling: { enabled: true, minReplicas: 20 } },
    'autoscaling.minReplicas is more than autoscaling.maxReplicas.',
  ],
  [
    'a variable twice',
    { ...header, extraEnv: [{ name: 'DEX_ISSUER', value: 'https://other' }] },
    'extraEnv sets DEX_ISSUER, which the chart sets already.',
  ],
  [
    'a variable that is a setting too',
    { ...rules, config: { ...config, settings: { DEX_ISSUER: 'https://other' } } },
    'config.settings sets DEX_ISSUER, which the chart sets already.',
  ],
  [
    'a word that Helm reads as a boolean',
    { ...rules, config: { ...config, settings: { ADMIN_PAGE: false } } },
    'config.settings.ADMIN_PAGE is false: without quotes Helm reads on and off as booleans.',
  ],
  [
    'another port',
    { ...header, extraEnv: [{ name: 'LISTEN_ADDR', value: ':9090' }] },
    'extraEnv sets LISTEN_ADDR, but the ports, probes and files of the chart depend on it.',
  ],
  [
    'a secret in plain text',
    { ...header, extraEnv: [{ name: 'OTHER_SECRET', value: 'x' }] },
    'extraEnv has OTHER_SECRET in plain text.',
  ],
  [
    'check ports that are open to everybody',
    { ...header, networkPolicy: { checksFrom: null } },
    'networkPolicy.checksFrom is empty',
  ],
  [
    'a rule on the context over HTTP',
    {
      ...rules,
      securityPolicy: { ...policy, protocol: 'http' },
      config: { ...config, rules: [{ name: 'free', when: '!("tier" in context)', deny: 'closed' }] },
    },
    'The rule "free" reads context, which is empty over HTTP.',
  ],
  [
    'a rule on a header that Envoy does not send',
    {
      ...rules,
      config: { ...config, rules: [{ name: 'a', when: '"x-debug" in request.headers', deny: 'closed' }] },
    },
    'The rule "a" reads the header x-debug, which Envoy does not send to the broker.',
  ],
  [
    'a header for the backend from a rule on a header that Envoy does not send',
    {
      ...rules,
      config: {
        ...config,
        rules: [
          { name: 'a', when: 'true', client: 'orders', set: { 'x-tenant': "request.headers['x-from']" } },
        ],
      },
    },
    'The rule "a" reads the header x-from, which Envoy does not send to the broker.',
  ],
  [
    "a client's secret in plain text",
    {
      ...rules,
      config: {
        ...config,
        clients: [{ name: 'orders', clientId: 'orders', clientSecret: { env: 'ORDERS' } }],
      },
      extraEnv: [{ name: 'ORDERS', value: 'x' }],
    },
    'extraEnv has ORDERS in plain text.',
  ],
  [
    'a password in a URL',
    { ...header, extraEnv: [{ name: 'HTTPS_PROXY', value: 'http://user:password@proxy:3128' }] },
    'extraEnv has HTTPS_PROXY in plain text.',
  ],
  [
    "a token's header whose name the policy cannot know",
    {
      ...header,
      extraEnv: [{ name: 'UPSTREAM_AUTH_HEADER', valueFrom: { configMapKeyRef: { name: 'a', key: 'b' } } }],
    },
    'extraEnv has UPSTREAM_AUTH_HEADER from elsewhere',
  ],
  [
    'a route of another group',
    {
      ...header,
      securityPolicy: { ...policy, targetRefs: [{ group: 'wrong.example', kind: 'HTTPRoute', name: 'a' }] },
    },
    "- at '/securityPolicy/targetRefs/0/group'",
  ],
  [
    'a name that no route can have',
    {
      ...header,
      securityPolicy: {
        ...policy,
        targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'My API' }],
      },
    },
    "- at '/securityPolicy/targetRefs/0/name': 'My API' does not match pattern",
  ],
  [
    'a secret in the place of the own',
    { ...rules, secretMounts: ['shared-store'] },
    "- at '/secretMounts/0'",
  ],
]

test.for(refused)('%s is refused in a sentence', needsHelm, async ([, values, sentence]) => {
  const { exitCode, stdout, stderr } = await helm(['template', 'broker'], values)
  expect(stderr).toContain(sentence)
  expect(stderr).not.toMatch(/nil pointer|wrong type|can't evaluate|goroutine/)
  expect(stdout).toBe('')
  expect(exitCode).toBe(1)
})
