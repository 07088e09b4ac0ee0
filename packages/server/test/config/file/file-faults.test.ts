import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/config/config-error.ts'
import { loadConfig } from '../../../src/config/load-config.ts'
import { faultsOf } from '../faults-of.ts'
import { ConfigFolder } from './config-folder.ts'

/** The faults of a file, as `line:column: key: problem`. */
function faults(
  yaml: string | Uint8Array,
  env: NodeJS.ProcessEnv = {},
  others: Readonly<Record<string, string>> = {},
): string[] {
  using folder = new ConfigFolder(yaml, others)
  return faultsOf({ ...env, CONFIG_FILE: folder.file })
}

const gate = `issuers:
  - { name: staff, issuer: https://idp.example.com, audiences: [orders] }
`
const client = `clients:
  - { name: reports, clientId: reports, clientSecret: { env: REPORTS_SECRET } }
`
const secret = { REPORTS_SECRET: 'a-very-secret-text' }
const rules = (text: string) => `${gate}${client}rules:\n${text}`

describe('a file that is not YAML 1.2 of one document', () => {
  it.each([
    ['an unclosed map', 'settings: { HTTP_TIMEOUT: 3s\n', /^2:1: : flow map .* must/],
    [
      'a key twice',
      'settings:\n  LOG_LEVEL: INFO\n  LOG_LEVEL: WARN\n',
      /^3:3: : the key appears more than once$/,
    ],
    ['a tab', 'settings:\n\tLOG_LEVEL: INFO\n', /^2:1: : tabs/],
    ['two documents', 'settings: {}\n---\nsettings: {}\n', /^2:1: : a second YAML document/],
    ['a tag', 'settings: !!set { LOG_LEVEL }\n', /^1:11: : has a YAML tag/],
    ['a custom tag', 'settings:\n  LOG_LEVEL: !secret INFO\n', /^2:14: : has a YAML tag/],
    ['an alias without an anchor', 'settings:\n  LOG_LEVEL: *level\n', /^2:14: : an alias .* has no anchor/],
    ['many aliases', `a: &a x\nb: [${'*a, '.repeat(150)}]\n`, /^2:5: : has more than 100 values by aliases$/],
    ['YAML 1.1', '%YAML 1.1\n---\nsettings: {}\n', /^1:1: : is YAML 1.1; only 1.2 is supported$/],
    ['a list as a key', '? [a]\n: 1\n', /^1:3: : the key is not text$/],
    ['a directive alone', '%YAML 1.2\n', /^1:1: : has a directive \(%\.\.\.\) and no content$/],
    ['a deep nesting', '['.repeat(100_000), /^1:\d+: : is nested too deeply$/],
  ])('has its place: %s', (_, yaml, fault) => {
    expect(faults(yaml)).toEqual([expect.stringMatching(fault)])
  })

  it('does not show a text that could be a secret', () => {
    for (const yaml of ['a: "x" "hunter2"', 'a: *hunter2', 'a: !hunter2 b', '"hunter2', 'a: b: hunter2']) {
      expect(faults(yaml).join('\n')).not.toContain('hunter2')
    }
  })

  it('has no merge keys', () => {
    expect(faults('settings: &a { LOG_LEVEL: INFO }\n<<: *a\n')).toEqual([
      expect.stringMatching(/^2:1: \["<<"\]: is not a known key/),
    ])
  })
})

describe('a file that cannot be read', () => {
  it('is a fault of CONFIG_FILE', () => {
    using folder = new ConfigFolder('')
    const named = (name: string) => faultsOf({ CONFIG_FILE: path.join(folder.folder, name) })
    expect(named('none.yaml')).toEqual([expect.stringMatching(/^CONFIG_FILE: ".*none.yaml" does not exist$/)])
    mkdirSync(path.join(folder.folder, 'dir'))
    expect(named('dir')).toEqual([expect.stringMatching(/^CONFIG_FILE: ".*dir" is not a file$/)])
  })

  it('because of its size or encoding is one too', () => {
    expect(faults(`# ${'x'.repeat(1_048_576)}`)).toEqual([
      expect.stringMatching(/^CONFIG_FILE: .* is larger than 1048576 bytes$/),
    ])
    expect(faults(Uint8Array.of(0x61, 0xff))).toEqual([
      expect.stringMatching(/^CONFIG_FILE: .* is not UTF-8$/),
    ])
  })

  it('does not hide the faults of variables', () => {
    expect(faultsOf({ CONFIG_FILE: '/nowhere/config.yaml', HTTP_TIMEOUT: 'x' })).toEqual([
      expect.stringMatching(/^CONFIG_FILE: /),
      expect.stringMatching(/^HTTP_TIMEOUT: /),
    ])
  })
})

describe('a fault of the structure', () => {
  it.each([
    ['setings: {}', /^1:1: setings: is not a known key; did you mean settings\?$/],
    [
      'apiVersion: dex-token-broker/v2',
      /^1:13: apiVersion: "dex-token-broker\/v2" is not supported; .* dex-token-broker\/v1$/,
    ],
    ['- a', /^1:1: : must be a map of keys and values$/],
    ['clients: reports', /^1:10: clients: must be a list$/],
    ['issuers: []', /^1:10: issuers: must not be an empty list$/],
    ['rules:', /^1:1: rules: has no value$/],
    [
      `${gate.replace('audiences', 'audience')}`,
      /^2:53: issuers\[0\].audience: is not a known key; did you mean audiences\?$/,
    ],
    [
      'issuers:\n  - name: 7\n    issuer: https://a.example',
      /^2:11: issuers\[0\].name: must be text; put it in quotes$/,
    ],
    [
      'issuers:\n  - name: a b\n    issuer: https://a.example',
      /^2:11: issuers\[0\].name: must be 1 to 64 letters/,
    ],
    ['issuers:\n  - name: a', /^2:5: issuers\[0\].issuer: is missing/],
    [
      'issuers:\n  - { name: a, issuer: https://a.example, isDex: "yes" }',
      /^2:50: issuers\[0\].isDex: must be true or false$/,
    ],
    [
      'issuers:\n  - { name: a, issuer: https://a.example, algorithms: [HS256] }',
      /^2:56: issuers\[0\].algorithms\[0\]: "HS256" is not one of RS256/,
    ],
    [
      'issuers:\n  - { name: a, issuer: https://a.example, clockTolerance: 5 }',
      /^2:59: issuers\[0\].clockTolerance: must be text/,
    ],
    [
      'issuers:\n  - { name: a, issuer: https://a.example, clockTolerance: 5x }',
      /^2:59: issuers\[0\].clockTolerance: "5x" is not a duration$/,
    ],
    [
      'issuers:\n  - { name: a, issuer: https://a.example, machineAudiences: all }',
      /^2:61: issuers\[0\].machineAudiences: must be `any` or a list/,
    ],
    [
      'issuers:\n  - { name: a, issuer: ftp://a.example }',
      /^2:24: issuers\[0\].issuer: "ftp:\/\/a.example" does not start with https/,
    ],
    [
      'issuers:\n  - { name: a, kubernetes: {}, audiences: [x], jwksUri: https://a.example }',
      /^2:48: issuers\[0\].jwksUri: has no meaning beside kubernetes$/,
    ],
    [
      'issuers:\n  - { name: a, kubernetes: {} }',
      /^2:5: issuers\[0\].audiences: is missing; a kubernetes issuer needs it/,
    ],
    [
      'issuers:\n  - { name: a, audiences: [x], kubernetes: { server: http://a.example } }',
      /^2:54: issuers\[0\].kubernetes.server: .* is not https/,
    ],
    ['clients:\n  - { name: a, clientSecret: { env: A } }', /^2:5: clients\[0\].clientId: is missing$/],
  ])('%s has its place', (yaml, fault) => {
    expect(faults(yaml, { STATIC_CLIENT_ID: 'x' })).toEqual([expect.stringMatching(fault)])
  })

  it('in a key named like a property of every object is one', () => {
    expect(faults('__proto__: { settings: {} }')).toEqual([
      expect.stringMatching(/^1:1: __proto__: is not a known key/),
    ])
    expect(faults('constructor: x')).toEqual([expect.stringMatching(/^1:1: constructor: is not a known key/)])
  })
})

describe('names', () => {
  it('of two entries must differ', () => {
    const yaml = `issuers:
  - { name: staff, issuer: https://a.example }
  - { name: staff, issuer: https://a.example }
clients:
  - { name: reports, clientId: a, clientSecret: { env: REPORTS_SECRET } }
  - { name: reports, clientId: b, clientSecret: { env: REPORTS_SECRET } }
rules:
  - { name: all, when: 'true', client: reports }
  - { name: all, when: 'true', client: reports }
`
    expect(faults(yaml, secret)).toEqual([
      '3:13: issuers[1].name: "staff" is already the name of issuers[0]',
      '3:28: issuers[1].issuer: "https://a.example" is already the issuer of issuers[0]',
      '6:13: clients[1].name: "reports" is already the name of clients[0]',
      expect.stringMatching(/^9:13: rules\[1\].name: /),
    ])
  })

  it.each(['default', 'caller'])('of a client cannot be %s', name => {
    const yaml = `clients:\n  - { name: ${name}, clientId: a, clientSecret: { env: REPORTS_SECRET } }\n`
    expect(faults(yaml, secret)).toEqual([
      expect.stringMatching(/^2:13: clients\[0\].name: ".*" is reserved/),
    ])
  })

  it('must exist where they are used', () => {
    expect(
      faults(
        rules(`  - { name: a, when: 'true', client: report }\n`).replace(
          '{ env: REPORTS_SECRET }',
          '$&, dex: staf',
        ),
        secret,
      ),
    ).toEqual([
      '4:85: clients[0].dex: "staf" is not the name of an issuer; known: staff',
      expect.stringMatching(/^6:38: rules\[0\].client: .*"report".*did you mean "reports"/),
    ])
  })

  it('of the default client needs its variables', () => {
    const yaml = `${gate}rules:\n  - { name: a, when: 'true', client: default }\n`
    expect(faults(yaml)).toEqual([
      expect.stringMatching(/^4:38: rules\[0\].client: .*STATIC_CLIENT_ID and STATIC_CLIENT_SECRET/),
    ])
    expect(faults(yaml, { STATIC_CLIENT_ID: 'a', STATIC_CLIENT_SECRET: 'b', STATIC_SCOPE: 'c' })).toEqual([])
  })
})

describe('a client secret', () => {
  const withSecret = (text: string) =>
    `clients:\n  - name: reports\n    clientId: reports\n    clientSecret: ${text}\n`

  it('in the file itself is refused without being shown', () => {
    for (const text of ['hunter2', '12345678', '"hunter2"']) {
      const found = faults(withSecret(text))
      expect(found).toEqual([
        expect.stringMatching(/^4:19: clients\[0\].clientSecret: holds the secret itself/),
      ])
      expect(found.join()).not.toMatch(/hunter2|1234/)
    }
  })

  it.each([
    ['{ env: NOPE }', /^4:26: clients\[0\].clientSecret.env: the environment variable "NOPE" is not set$/],
    ['{ env: EMPTY }', /^4:26: clients\[0\].clientSecret.env: the environment variable "EMPTY" is empty$/],
    ['{ env: BAD }', /^4:26: clients\[0\].clientSecret.env: .*"BAD" contains a control character$/],
    ['{ file: none }', /^4:27: clients\[0\].clientSecret.file: ".*none" does not exist$/],
    ['{ file: empty }', /^4:27: clients\[0\].clientSecret.file: ".*empty" is empty$/],
    ['{ file: . }', /^4:27: clients\[0\].clientSecret.file: ".*" is not a file$/],
    [
      '{ file: two-lines }',
      /^4:27: clients\[0\].clientSecret.file: ".*two-lines" contains a control character$/,
    ],
    ['{ file: long }', /^4:27: clients\[0\].clientSecret.file: ".*long" is larger than/],
    ['{}', /^4:19: clients\[0\].clientSecret: must have either env or file$/],
    ['{ env: EMPTY, file: empty }', /^4:19: clients\[0\].clientSecret: must have either env or file$/],
  ])('%s is a fault with its place', (text, fault) => {
    const others = { empty: '\n', 'two-lines': 'hunter2\nhunter3\n', long: 'hunter2'.repeat(10_000) }
    const found = faults(withSecret(text), { EMPTY: '', BAD: 'hunter2\u0007' }, others)
    expect(found).toEqual([expect.stringMatching(fault)])
    expect(found.join()).not.toContain('hunter')
  })
})

describe('settings', () => {
  it.each([
    [
      'LOG_LEVELL: INFO',
      /^2:3: settings.LOG_LEVELL: is not a variable of this broker; did you mean LOG_LEVEL\?$/,
    ],
    ['http_timeout: 3s', /^2:3: settings.http_timeout: .*did you mean HTTP_TIMEOUT\?$/],
    ['HTTP_TIMEOUT: soon', /^2:17: settings.HTTP_TIMEOUT: "soon" is not a duration$/],
    ['CACHE_MAX_ENTRIES: -1', /^2:22: settings.CACHE_MAX_ENTRIES: "-1" is negative$/],
    ['CACHE_MAX_ENTRIES: [1]', /^2:22: settings.CACHE_MAX_ENTRIES: must be text, a number/],
    [
      'STATIC_AUDIENCES: [a, "b,c"]',
      /^2:25: settings.STATIC_AUDIENCES\[1\]: must not be empty or contain a comma/,
    ],
    ['CONFIG_FILE: other.yaml', /^2:3: settings.CONFIG_FILE: must be set in the environment$/],
    [
      'DEX_ISSUER: http://dex.example.com',
      /^2:15: settings.DEX_ISSUER: "http:\/\/dex.example.com" is not https/,
    ],
    ['ADMIN_ADDR: :8080', /^2:15: settings.ADMIN_ADDR: is the same address as LISTEN_ADDR$/],
  ])('%s has its place', (line, fault) => {
    expect(faults(`settings:\n  ${line}\n`)).toEqual([expect.stringMatching(fault)])
  })

  it('hold no secret, and the fault does not show it', () => {
    const found = faults('settings:\n  STATIC_CLIENT_SECRET: hunter2\n')
    expect(found).toEqual([expect.stringMatching(/^2:3: settings.STATIC_CLIENT_SECRET: is a secret/)])
    expect(found.join()).not.toContain('hunter2')
  })

  it('that the environment overrides have no fault', () => {
    expect(faults('settings: { HTTP_TIMEOUT: soon }', { HTTP_TIMEOUT: '3s' })).toEqual([])
  })
})

describe('a URL of an issuer', () => {
  it('must be https unless ALLOW_INSECURE_DEX_URL is true', () => {
    const yaml = `issuers:
  - name: a
    issuer: http://a.example
    audiences: [x]
  - name: b
    issuer: https://b.example
    jwksUri: http://b.example/keys
    audiences: [x]
`
    const env = { STATIC_CLIENT_ID: 'x' }
    expect(faults(yaml, env)).toEqual([
      expect.stringMatching(/^3:13: issuers\[0\].issuer: "http:\/\/a.example" is not https/),
      expect.stringMatching(/^7:14: issuers\[1\].jwksUri: "http:\/\/b.example\/keys" is not https/),
    ])
    expect(faults(`settings: { ALLOW_INSECURE_DEX_URL: true }\n${yaml}`, env)).toEqual([])
  })
})

describe('a rule', () => {
  it.each([
    ['plain', `  - name: a\n    when: caller.foo == 1\n    client: reports\n`, '7:18'],
    ['in double quotes', `  - name: a\n    when: "\\"x\\" == caller.foo"\n    client: reports\n`, '7:28'],
    [
      'in a block',
      `  - name: a\n    when: >-\n      caller.issuer == "staff"\n      && caller.foo\n    client: reports\n`,
      '9:17',
    ],
  ])('has the place of a fault in its expression, %s', (_, text, place) => {
    expect(faults(rules(text), secret)).toEqual([
      expect.stringMatching(new RegExp(`^${place}: rules\\[0\\].when: .*"foo"`)),
    ])
  })

  it.each([
    ['x-envoy-foo', /^10:7: rules\[0\].set.x-envoy-foo: .* is a control header of Envoy$/],
    ['Authorization', /^10:7: rules\[0\].set.Authorization: .* is UPSTREAM_AUTH_HEADER/],
    ['content-length', /^10:7: rules\[0\].set.content-length: .* describes the body/],
    ['x-token', /^10:7: rules\[0\].set.x-token: .* carries "access_token" by UPSTREAM_TOKEN_HEADERS$/],
    ['x-client-id', /^10:7: rules\[0\].set.x-client-id: .* is CLIENT_ID_HEADER$/],
    ['"x caller"', /^10:7: rules\[0\].set\["x caller"\]: "x caller" is not a header name$/],
  ])('cannot set the header %s', (header, fault) => {
    const text = `  - name: a\n    when: 'true'\n    client: reports\n    set:\n      ${header}: caller.subject\n`
    const env = { ...secret, UPSTREAM_TOKEN_HEADERS: 'access_token:x-token' }
    expect(faults(rules(text), env)).toEqual([expect.stringMatching(fault)])
  })

  it('that reads the caller needs a gate', () => {
    const yaml = `${client}rules:\n  - { name: a, when: 'caller.subject == "x"', client: reports }\n`
    const found = faults(yaml, { ...secret, ALLOW_UNAUTHENTICATED_CALLERS: 'true' })
    expect(found).toEqual([expect.stringMatching(/^4:\d+: rules\[0\].when: .*(?:gate|issuer)/)])
  })

  it('that hands out a token without a gate needs ALLOW_UNAUTHENTICATED_CALLERS', () => {
    const yaml = `${client}rules:\n  - { name: a, when: 'true', client: reports }\n`
    expect(faults(yaml, secret)).toEqual([
      expect.stringMatching(
        /^4:38: rules\[0\].client: hands out a token without a JWT gate.*ALLOW_UNAUTHENTICATED_CALLERS=true/,
      ),
    ])
    expect(faults(yaml, { ...secret, ALLOW_UNAUTHENTICATED_CALLERS: 'true' })).toEqual([])
    expect(faults(`rules:\n  - { name: a, when: 'true', client: caller }\n`)).toEqual([])
  })
})

describe('the exchange of a rule', () => {
  const withExchange = (text: string) => rules(`  - name: people\n    when: 'true'\n    exchange: ${text}\n`)

  it.each([
    ['staff', /^8:15: rules\[0\].exchange: must be a map of keys and values$/],
    ['{ connectorId: staff }', /^8:15: rules\[0\].exchange.client: is missing$/],
    ['{ client: reports }', /^8:15: rules\[0\].exchange.connectorId: is missing$/],
    [
      '{ connectorId: "", client: reports }',
      /^8:30: rules\[0\].exchange.connectorId: must be 1 to 256 characters of printable ASCII$/,
    ],
    [
      `{ connectorId: ${'x'.repeat(257)}, client: reports }`,
      /^8:30: rules\[0\].exchange.connectorId: must be 1 to 256 characters/,
    ],
    [
      '{ connectorId: stäff, client: reports }',
      /^8:30: rules\[0\].exchange.connectorId: must be 1 to 256 characters/,
    ],
    [
      '{ connectorId: staff, client: reports, scopes: openid }',
      /^8:54: rules\[0\].exchange.scopes: is not a known key; did you mean scope\?$/,
    ],
    [
      '{ connectorId: staff, client: report }',
      /^8:45: rules\[0\].exchange.client: there is no client "report"; did you mean "reports"\?$/,
    ],
    [
      '{ connectorId: staff, client: caller }',
      /^8:45: rules\[0\].exchange.client: exchange needs a configured client/,
    ],
    [
      '{ connectorId: staff, client: default }',
      /^8:45: rules\[0\].exchange.client: .*STATIC_CLIENT_ID and STATIC_CLIENT_SECRET must be set$/,
    ],
    [
      '{ connectorId: staff, client: reports, subjectTokenType: jwt }',
      /^8:72: rules\[0\].exchange.subjectTokenType: "jwt" is not one of id_token, access_token$/,
    ],
    ['{ connectorId: staff, client: reports, scope: ö }', /^8:61: rules\[0\].exchange.scope: .*ASCII/],
  ])('%s has its place', (text, fault) => {
    expect(faults(withExchange(text), secret)).toEqual([expect.stringMatching(fault)])
  })

  it('may name the default client when the variables describe it', () => {
    const env = { ...secret, STATIC_CLIENT_ID: 'a', STATIC_CLIENT_SECRET: 'b' }
    expect(faults(withExchange('{ connectorId: staff, client: default }'), env)).toEqual([])
  })

  it('needs a gate, whatever callers may do without one', () => {
    const yaml = `${client}rules:\n  - { name: a, when: 'true', exchange: { connectorId: staff, client: reports } }\n`
    for (const env of [secret, { ...secret, ALLOW_UNAUTHENTICATED_CALLERS: 'true' }]) {
      expect(faults(yaml, env)).toEqual([
        expect.stringMatching(/^4:40: rules\[0\].exchange: exchange needs a gate/),
      ])
    }
  })

  it('works with a gate of variables', () => {
    const yaml = `${client}rules:\n  - { name: a, when: 'true', exchange: { connectorId: staff, client: reports } }\n`
    expect(
      faults(yaml, { ...secret, DEX_ISSUER: 'https://dex.example.com', JWT_AUDIENCE: 'orders' }),
    ).toEqual([])
  })

  it('has no second result and no scope beside it', () => {
    const text = '{ connectorId: staff, client: reports }'
    expect(faults(withExchange(`${text}\n    pass: true`), secret)).toEqual([
      expect.stringMatching(/^6:5: rules\[0\]: a rule needs exactly one of client, exchange, pass and deny$/),
    ])
    expect(faults(withExchange(`${text}\n    scope: openid`), secret)).toEqual([
      expect.stringMatching(/^9:12: rules\[0\].scope: scope belongs inside exchange$/),
    ])
  })
})

describe('a scope that is too long', () => {
  const peers = `[${Array.from({ length: 20 }, (_, index) => `${'x'.repeat(40)}${index}`).join(', ')}]`
  const scopes = Array.from({ length: 20 }, (_, index) => `${'y'.repeat(40)}${index}`).join(' ')
  const withClient = (keys: string, rule: string) =>
    `${gate}${client.replace(' }\n', `${keys} }\n`)}rules:\n  - { name: a, when: 'true', ${rule} }\n`

  it.each([
    [
      'audiences alone',
      '',
      `client: reports, audiences: ${peers}`,
      /^6:\d+: rules\[0\].audiences: make a scope/,
    ],
    [
      'audiences of an exchange alone',
      '',
      `exchange: { connectorId: staff, client: reports, audiences: ${peers} }`,
      /^6:\d+: rules\[0\].exchange.audiences: make a scope of \d+ characters together with scope, more than 1024$/,
    ],
    [
      "audiences with the client's scope",
      `, scope: ${scopes}`,
      `exchange: { connectorId: staff, client: reports, audiences: [${'x'.repeat(200)}] }`,
      /^6:\d+: rules\[0\].exchange.audiences: make a scope/,
    ],
    [
      "a scope with the client's audiences",
      `, audiences: [${'x'.repeat(200)}]`,
      `exchange: { connectorId: staff, client: reports, scope: ${scopes} }`,
      /^6:\d+: rules\[0\].exchange.scope: is \d+ characters together with the client's audiences, more than 1024$/,
    ],
    [
      "a scope with the client's audiences, without an exchange",
      `, audiences: [${'x'.repeat(200)}]`,
      `client: reports, scope: ${scopes}`,
      /^6:\d+: rules\[0\].scope: is \d+ characters together with the client's audiences/,
    ],
  ])('is found: %s', (_, keys, rule, fault) => {
    expect(faults(withClient(keys, rule), secret)).toEqual([expect.stringMatching(fault)])
  })

  it("is found for the default client's variables too", () => {
    const yaml = `${gate}rules:\n  - { name: a, when: 'true', client: default, scope: ${scopes} }\n`
    const env = { STATIC_CLIENT_ID: 'a', STATIC_CLIENT_SECRET: 'b', STATIC_AUDIENCES: 'x'.repeat(200) }
    expect(faults(yaml, env)).toEqual([expect.stringMatching(/^4:\d+: rules\[0\].scope: /)])
    expect(faults(yaml, { ...env, STATIC_AUDIENCES: 'x' })).toEqual([])
  })
})

describe('variables beside a file', () => {
  it.each(['JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE', 'GROUPS_CLAIM', 'MACHINE_AUDIENCES', 'JWT_ALGORITHMS'])(
    '%s cannot be set together with issuers',
    name => {
      const env = { STATIC_CLIENT_ID: 'x', [name]: name === 'JWT_ALGORITHMS' ? 'PS256' : 'https://a.example' }
      expect(faults(gate, env)).toEqual([
        expect.stringMatching(new RegExp(`^${name}: must not be set together with issuers`)),
      ])
    },
  )

  it('need no static client when the file has rules', () => {
    expect(faults(gate)).toEqual([expect.stringMatching(/^STATIC_CLIENT_ID: must be set, or .* rules/)])
    expect(faults(rules(`  - { name: a, when: 'true', client: reports }\n`), secret)).toEqual([])
  })

  it.each(['REQUIRED_GROUPS', 'REQUIRED_SCOPES', 'GROUPS_CLAIM', 'MACHINE_AUDIENCES', 'JWT_ALGORITHMS'])(
    '%s needs a gate',
    name => {
      expect(faultsOf({ [name]: name === 'JWT_ALGORITHMS' ? 'PS256' : 'x' })).toEqual([
        expect.stringMatching(new RegExp(`^${name}: needs a JWT gate`)),
      ])
    },
  )

  it('have their faults before those of the file, which are in its order', () => {
    using folder = new ConfigFolder('rules: 7\nissuers: 7\nsettings: { LOG_LEVEL: x }\n')
    const load = () => loadConfig({ CONFIG_FILE: folder.file, HTTP_TIMEOUT: 'x' })
    expect(load).toThrow(ConfigError)
    expect(load).toThrow(
      [
        'HTTP_TIMEOUT: "x" is not a duration; example: HTTP_TIMEOUT=5s',
        `${folder.file}:1:8: rules: must be a list; example: rules: [{ name: staff, when: 'caller.issuer == "staff"', client: reports }]`,
      ].join('\n'),
    )
    expect(load).toThrow(/2:10: issuers: .*\n.*3:24: settings.LOG_LEVEL: .*; example: LOG_LEVEL: DEBUG$/)
  })
})

it('an unknown key hides no other fault of its entry', () => {
  const rule = '  - { name: b, when: \'caller.isuer == "staff"\', client: reports, colour: red }\n'
  expect(faults(rules(rule), secret)).toEqual([
    expect.stringMatching(/^6:30: rules\[0\].when: caller has no member "isuer"/),
    expect.stringMatching(/^6:66: rules\[0\].colour: is not a known key/),
  ])
})

describe('algorithms', () => {
  it('are those that the gate can verify', () => {
    const issuer = (algorithm: string) =>
      `issuers:\n  - { name: a, issuer: https://a.example, audiences: [x], algorithms: [${algorithm}] }\n`
    expect(faults(issuer('Ed25519'), { STATIC_CLIENT_ID: 'x' })).toEqual([])
    expect(faults(issuer('HS256'), { STATIC_CLIENT_ID: 'x' })).toEqual([
      expect.stringMatching(/issuers\[0\]\.algorithms/),
    ])
  })

  it.each(['HS256', 'none', 'RS256 PS999', ','])('of the variable too: %s', value => {
    const env = { DEX_ISSUER: 'https://dex.example', JWT_AUDIENCE: 'x', STATIC_CLIENT_ID: 'x' }
    expect(faultsOf({ ...env, JWT_ALGORITHMS: value })).toEqual([expect.stringMatching(/^JWT_ALGORITHMS: /)])
  })
})

it.each<[string, RegExp]>([
  ['audience: x', /^2:\d+: clients\[0\].audience: is not a known key; use audiences .* or extraParams /],
  ['resource: https://a.example', /^2:\d+: clients\[0\].resource: must be a list$/],
  ['resource: [/orders]', /^2:\d+: clients\[0\].resource\[0\]: "\/orders" must be an absolute URI/],
  ['resource: ["https://a.example#b"]', /: "https:.*" must not have a fragment/],
  [`resource: [https://a.example/${'a'.repeat(2_048)}]`, /: is 2066 characters in all, more than 2048/],
  ['extraParams: { scope: x }', /^2:\d+: clients\[0\].extraParams.scope: is sent by the broker itself/],
  ['extraParams: { audience: "" }', /: clients\[0\].extraParams.audience: must not be empty/],
  ['extraParams: { audience: 5 }', /: clients\[0\].extraParams.audience: must be text; put it in quotes/],
  [`extraParams: { a: ${'b'.repeat(4_096)} }`, /: is 4097 characters in all, more than 4096/],
])('the part of a client %#, %.40s, is refused in its place', (part, fault) => {
  const yaml = client.replace(' } }', ` }, ${part} }`)
  expect(faults(yaml, { ...secret, STATIC_CLIENT_ID: 'x' })).toEqual([expect.stringMatching(fault)])
})
