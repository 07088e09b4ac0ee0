import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { TokenBroker } from '@broker/core'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { describeConfig } from '../../../src/config/describe-config.ts'
import { flowText } from '../../../src/config/file/flow-text.ts'
import { loadConfig } from '../../../src/config/load-config.ts'
import { callerWith, requestWith } from '../../rules/rule-fixtures.ts'
import { ConfigFolder } from './config-folder.ts'

const example = new URL('../../../../../docs/configuration-file.yaml', import.meta.url).pathname

function load(yaml: string, env: NodeJS.ProcessEnv = {}, others: Readonly<Record<string, string>> = {}) {
  using folder = new ConfigFolder(yaml, others)
  return loadConfig({ ...env, CONFIG_FILE: folder.file })
}

describe('the example of the documentation', () => {
  const config = loadConfig({ CONFIG_FILE: example, REPORTS_SECRET: 'a-very-secret-text' })

  it('loads without a warning', () => {
    expect(config.warnings).toEqual([])
    expect(config.file).toMatchObject({ path: example, issuers: 2, clients: 1, rules: { count: 3 } })
  })

  it('becomes options of the broker', () => {
    expect(config.broker).toMatchObject({
      issuer: 'https://dex.example.com/dex',
      requestTimeoutMs: 3_000,
      issuers: [
        { name: 'staff', issuer: 'https://idp.example.com', audiences: ['orders'] },
        {
          name: 'dex',
          issuer: 'https://dex.example.com/dex',
          audiences: ['orders'],
          machineAudiences: 'any',
        },
      ],
      clients: {
        reports: {
          clientId: 'reports',
          clientSecret: 'a-very-secret-text',
          scope: 'groups',
          audiences: ['orders'],
        },
      },
      chooseClient: config.file?.rules?.compiled.choose,
      backendHeaders: ['x-caller'],
    })
    expect(config.broker.gate).not.toHaveProperty('issuer')
    expect(config.broker.gate).toHaveProperty('jwtHeader', 'authorization')
  })

  it('is described with its issuers, clients and rules in order, secrets masked', () => {
    const [variables = '', file = ''] = describeConfig(config).split('\n\n')
    expect(variables).toContain('HTTP_TIMEOUT=3s')
    expect(variables).toContain(`CONFIG_FILE=${example}`)
    expect(file.startsWith(`# ${example}\n`)).toBe(true)
    const { clients, ...rest } = parse(file)
    const written = parse(readFileSync(example, 'utf8'))
    expect(rest).toEqual({ issuers: written.issuers, rules: written.rules })
    expect(clients).toEqual([
      { ...written.clients[0], clientSecret: '******** (environment REPORTS_SECRET)' },
    ])
    expect(describeConfig(config)).not.toContain('a-very-secret-text')
  })
})

describe('a file with a client of another server than Dex', () => {
  using folder = new ConfigFolder(
    `settings: { DEX_ISSUER: https://tenant.example.com/ }
clients:
  - name: reports
    clientId: reports
    clientSecret: { file: reports }
    resource: [https://orders.example.com, "urn:example:billing"]
    extraParams: { audience: https://orders.example.com, organization: org_1 }
`,
    { reports: 'a-very-secret-text\n' },
  )
  const config = loadConfig({ CONFIG_FILE: folder.file })

  it('has its resources and additional parameters, and a broker takes them', async () => {
    expect(config.broker.clients).toEqual({
      reports: {
        clientId: 'reports',
        clientSecret: 'a-very-secret-text',
        resource: ['https://orders.example.com', 'urn:example:billing'],
        extraParams: { audience: 'https://orders.example.com', organization: 'org_1' },
      },
    })
    await using broker = new TokenBroker(config.broker)
    expect(broker.status().clients.map(({ name }) => name)).toEqual(['reports'])
  })
})

describe('a file with every kind of rule', () => {
  const yaml = `apiVersion: dex-token-broker/v1   # may be left out
settings: { HTTP_TIMEOUT: 3s }
issuers:
  - { name: staff, issuer: https://idp.example.com, audiences: [orders] }
  - { name: dex, issuer: https://dex.example.com/dex, jwksUri: https://dex.dex.svc/dex/keys, audiences: [orders], machineAudiences: any, groupsClaim: groups }
  - { name: cluster, kubernetes: {}, audiences: [dex-token-broker] }
clients:
  - { name: reports, clientId: reports, clientSecret: { file: /run/secrets/reports }, scope: groups, audiences: [orders] }
rules:
  - { name: nightly jobs, when: 'caller.issuer == "cluster" && caller.subject.startsWith("system:serviceaccount:jobs:")', client: reports }
  - { name: ci pipeline, when: '"client:ci-pipeline" in caller.groups && request.method == "GET"', client: reports, set: { x-caller: caller.subject } }
  - { name: people, when: 'caller.issuer == "staff" && "engineering" in caller.groups', exchange: { connectorId: staff, client: reports } }
`
  using folder = new ConfigFolder('', { reports: 'a-very-secret-text\n' })
  // The folder of secrets is another one in tests.
  const secret = path.join(folder.folder, 'reports')
  writeFileSync(folder.file, yaml.replace('/run/secrets/reports', secret))
  const config = loadConfig({ CONFIG_FILE: folder.file })

  it('loads without a warning, and exchanges for people alone', () => {
    expect(config.warnings).toEqual([])
    expect(config.file).toMatchObject({ issuers: 3, clients: 1, rules: { count: 3 } })
    const choose = (issuer: string, subject: string, groups: readonly string[]) =>
      config.file?.rules?.compiled.choose(callerWith({ issuer, subject, groups }), requestWith())
    expect(choose('staff', 'jane', ['engineering'])).toEqual({
      exchange: { connectorId: 'staff', client: 'reports' },
      rule: 'people',
    })
    expect(choose('staff', 'john', ['sales'])).toEqual({ deny: 'no rule matches' })
    expect(choose('dex', 'CgtjaS1waXBlbGluZQ', ['client:ci-pipeline'])).toEqual({
      client: 'reports',
      rule: 'ci pipeline',
      set: { 'x-caller': 'CgtjaS1waXBlbGluZQ' },
    })
    expect(choose('cluster', 'system:serviceaccount:jobs:nightly', [])).toEqual({
      client: 'reports',
      rule: 'nightly jobs',
    })
  })

  it('is described with the exchange', () => {
    const { rules } = parse(describeConfig(config).split('\n\n')[1] ?? '')
    expect(rules).toEqual(parse(yaml).rules)
    expect(rules[2].exchange).toEqual({ connectorId: 'staff', client: 'reports' })
    expect(describeConfig(config)).not.toContain('a-very-secret-text')
  })
})

describe('the settings of a file', () => {
  it('are those of the variables, as text, number, boolean or list', () => {
    const { broker, logLevel } = load(
      `settings:
  CACHE_MAX_ENTRIES: 4_096
  STRIP_CREDENTIAL_HEADERS: false
  STATIC_AUDIENCES: [orders, billing]
  ALLOWED_CLIENT_IDS: reports billing
  ALLOWED_SCOPES: [groups]
  REFRESH_AHEAD_RATIO: 0.5
  LOG_LEVEL: WARN
  MAX_TOKEN_AGE: 0
`.replace('4_096', '4096'),
    )
    expect(broker).toMatchObject({
      cacheMaxEntries: 4096,
      credentialHeaders: { strip: false },
      client: { audiences: ['orders', 'billing'] },
      allowedClientIds: ['reports', 'billing'],
      allowedScopes: ['groups'],
      refreshAheadRatio: 0.5,
      maxTokenAgeMs: 0,
    })
    expect(logLevel).toBe('warn')
  })

  it('keep the spelling of a number', () => {
    expect(load('settings: { STATIC_CLIENT_ID: 0123 }').broker.client?.clientId).toBe('0123')
  })

  it('yield to the environment, but not to an empty variable', () => {
    const yaml = 'settings: { HTTP_TIMEOUT: 3s, LOG_FORMAT: text }'
    const config = load(yaml, { HTTP_TIMEOUT: '7s', LOG_FORMAT: '' })
    expect(config.broker.requestTimeoutMs).toBe(7_000)
    expect(config.logFormat).toBe('text')
  })

  it('enable a gate as the variables do', () => {
    const { broker } = load(`settings:
  DEX_ISSUER: https://dex.example.com
  JWT_AUDIENCE: [a, b]
  STATIC_CLIENT_ID: x
  REQUIRED_GROUPS: [engineering]
  REQUIRED_SCOPES: 'orders:read, orders:write'
  GROUPS_CLAIM: roles
  MACHINE_AUDIENCES: any
  JWT_ALGORITHMS: [PS256, EdDSA]
`)
    expect(broker.gate).toMatchObject({
      issuer: 'https://dex.example.com',
      audience: ['a', 'b'],
      requiredGroups: ['engineering'],
      requiredScopes: ['orders:read', 'orders:write'],
      groupsClaim: 'roles',
      machineAudiences: 'any',
      algorithms: ['PS256', 'EdDSA'],
    })
  })
})

describe('a file', () => {
  it('may be empty', () => {
    for (const yaml of ['', '# nothing\n', 'apiVersion: dex-token-broker/v1\n', '---\n']) {
      expect(load(yaml).broker).toEqual(loadConfig({}).broker)
    }
  })

  it('that is empty does not start beside a static client, because its gate may be missing', () => {
    const env = { STATIC_CLIENT_ID: 'orders', STATIC_CLIENT_SECRET: 'secret' }
    expect(() => load('', env)).toThrow(
      /^JWT_AUDIENCE: must be set, because CONFIG_FILE names a file without entries:/,
    )
    expect(load('settings: { HTTP_TIMEOUT: 3s }', env).broker.issuers).toBeUndefined()
    expect(load('', { ...env, ALLOW_UNAUTHENTICATED_CALLERS: 'true' }).broker.client).toBeDefined()
  })

  it('names files relative to its folder, and a line break ends a secret without being part of it', () => {
    const yaml = 'clients:\n  - { name: a, clientId: a, clientSecret: { file: secrets/a } }\n'
    for (const text of ['s3cret', 's3cret\n', 's3cret\r\n']) {
      expect(load(yaml, {}, { 'secrets/a': text }).broker.clients).toEqual({
        a: { clientId: 'a', clientSecret: 's3cret' },
      })
    }
    expect(load(yaml, {}, { 'secrets/a': ' s3cret ' }).broker.clients?.['a']?.clientSecret).toBe(' s3cret ')
  })

  it('describes issuers in full', () => {
    const { broker } = load(
      `settings: { STATIC_CLIENT_ID: x }
issuers:
  - name: a
    discoveryUrl: https://a.example/.well-known/openid-configuration
    jwksUri: https://a.example/keys
    tokenEndpoint: https://a.example/token
    audiences: [x]
    isDex: true
    machineAudiences: [y]
    algorithms: [ES256]
    clockTolerance: 1m30s
    groupsClaim: roles
`,
    )
    expect(broker.issuers).toEqual([
      {
        name: 'a',
        discoveryUrl: 'https://a.example/.well-known/openid-configuration',
        jwksUri: 'https://a.example/keys',
        tokenEndpoint: 'https://a.example/token',
        audiences: ['x'],
        isDex: true,
        machineAudiences: ['y'],
        algorithms: ['ES256'],
        clockToleranceMs: 90_000,
        groupsClaim: 'roles',
      },
    ])
  })

  it('makes the issuer of a Kubernetes cluster', () => {
    const yaml = `settings: { STATIC_CLIENT_ID: x }
issuers:
  - { name: pod, kubernetes: {}, audiences: [x] }
  - { name: far, kubernetes: { server: 'https://10.0.0.1:6443', caFile: ca.crt }, audiences: [x], issuer: https://a.example }
`
    expect(load(yaml).broker.issuers).toEqual([
      expect.objectContaining({ name: 'pod', jwksUri: 'https://kubernetes.default.svc/openid/v1/jwks' }),
      expect.objectContaining({
        name: 'far',
        issuer: 'https://a.example',
        jwksUri: 'https://10.0.0.1:6443/openid/v1/jwks',
      }),
    ])
  })

  it('has the certificates of an issuer beside its options', () => {
    const ca = readFileSync(new URL('../../fixtures/dex-tls.crt', import.meta.url), 'utf8')
    const yaml = `settings: { STATIC_CLIENT_ID: x }
issuers:
  - { name: a, issuer: https://a.example, audiences: [x], caFile: ca.crt }
`
    const { file } = load(yaml, {}, { 'ca.crt': ca })
    expect(file?.issuerCertificates['a']?.certificates).toContain('BEGIN CERTIFICATE')
  })

  it('is warned of when it is open or useless in part', () => {
    const yaml = `settings: { ALLOW_INSECURE_DEX_URL: true }
issuers:
  - { name: open, issuer: https://a.example }
  - { name: plain, issuer: http://b.example, audiences: [x] }
clients:
  - { name: unused, clientId: a, clientSecret: { env: A } }
rules:
  - { name: a, when: 'true', pass: true }
`
    expect(load(yaml, { A: 'x' }).warnings.map(text => text.replace(/^\S*config.yaml: /, ''))).toEqual([
      expect.stringMatching(/^the issuer "open" has no audiences/),
      expect.stringMatching(/^the issuer "plain" has a URL that is not https/),
      expect.stringMatching(/^no rule uses the client "unused"/),
    ])
  })
})

describe('an exchange of JWTs of Dex at that same Dex', () => {
  const warningsOf = (when: string, changes: (yaml: string) => string = yaml => yaml) =>
    load(
      changes(`issuers:
  - { name: staff, issuer: https://idp.example.com, audiences: [x] }
  - { name: dex, issuer: https://dex.example.com, audiences: [x] }
clients:
  - { name: orders, clientId: a, clientSecret: { env: A } }
rules:
  - { name: people, when: ${when}, exchange: { connectorId: staff, client: orders } }
`),
      { A: 'x', DEX_ISSUER: 'https://dex.example.com' },
    ).warnings.map(text => text.replace(/^\S*config.yaml: /, ''))
  const warned = [
    expect.stringMatching(
      /^the rule "people" exchanges JWTs of the issuer "dex" at the Dex that issued them; .*/,
    ),
  ]

  it('is warned of when the condition requires that issuer', () => {
    expect(warningsOf(`'caller.issuer == "dex"'`)).toEqual(warned)
    expect(warningsOf(`'caller.issuer == "dex" && "a" in caller.groups'`)).toEqual(warned)
  })

  it('is warned of when there is no other issuer, and for the Dex that a client names', () => {
    expect(warningsOf(`'true'`, yaml => yaml.replace(/^.*name: staff.*\n/m, ''))).toEqual(warned)
    const ofStaff = (yaml: string) => yaml.replace('env: A } }', 'env: A }, dex: staff }')
    expect(warningsOf(`'caller.issuer == "dex"'`, ofStaff)).toEqual([])
    expect(warningsOf(`'caller.issuer == "staff"'`, ofStaff)).toEqual([
      expect.stringMatching(/^the rule "people" exchanges JWTs of the issuer "staff" at/),
    ])
  })

  it('is not warned of when callers of another issuer can match', () => {
    for (const when of [
      `'true'`,
      `'caller.issuer == "staff"'`,
      `'caller.issuer == "dex" || caller.issuer == "staff"'`,
      `'caller.issuer == "dex" && false || true'`,
      `'caller.issuer == "dex" && false ? false : true'`,
      `'!(caller.issuer == "dex")'`,
    ]) {
      expect(warningsOf(when)).toEqual([])
    }
  })
})

it('a list of what callers may use that has no effect is warned of', () => {
  const env = { ALLOWED_CLIENT_IDS: 'a', STATIC_CLIENT_ID: 'b', ALLOWED_SCOPES: 'c', STATIC_SCOPE: 'd' }
  expect(loadConfig(env).warnings).toEqual([
    expect.stringMatching(/^ALLOWED_CLIENT_IDS has no effect/),
    expect.stringMatching(/^ALLOWED_SCOPES has no effect/),
  ])
})

it('examples and descriptions are YAML on one line', () => {
  for (const value of [
    'a b',
    'a: b',
    'yes',
    '7',
    'it\'s "x"',
    '',
    'a #b',
    '-',
    ['a, b', { 'x y': '{' }],
    {},
    'a\nb',
  ]) {
    expect(parse(flowText(value))).toEqual(value)
    expect(flowText(value)).not.toContain('\n')
  }
})

it('a client may have a name that every object has', () => {
  const clients = 'clients: [{ name: __proto__, clientId: a, clientSecret: { env: A } }]'
  const rules = "rules: [{ name: all, when: 'true', client: __proto__ }]"
  const config = load(`${clients}\n${rules}\n`, { A: 'secret', ALLOW_UNAUTHENTICATED_CALLERS: 'true' })
  expect(Object.entries(config.broker.clients ?? {})).toEqual([
    ['__proto__', { clientId: 'a', clientSecret: 'secret' }],
  ])
})
