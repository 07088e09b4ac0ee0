import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startDevDex } from '@broker/dev-dex'
import { afterAll, describe, expect, test } from 'vitest'
import { runCommand } from './support/command.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'broker-explain-'))
afterAll(() => rmSync(folder, { recursive: true }))

const secret = 'the-secret-of-reports'
/** The subject of Dex's machine token for the client `ci-pipeline`. */
const machine = { iss: 'https://dex.example.com/dex', sub: 'CgtjaS1waXBlbGluZQ', aud: 'ci-pipeline' }
const rules = `
issuers:
  - { name: staff, issuer: https://idp.example.com, audiences: [orders] }
  - { name: dex, issuer: https://dex.example.com/dex, audiences: [orders], machineAudiences: any }
  - { name: cluster, kubernetes: {}, audiences: [dex-token-broker] }
clients:
  - { name: reports, clientId: reports, clientSecret: { env: REPORTS_SECRET }, scope: groups }
rules:
  - { name: jobs, when: 'caller.issuer == "cluster"', client: reports }
  - { name: ci, when: '"client:ci-pipeline" in caller.groups && request.method == "GET"', client: reports, set: { x-caller: caller.subject } }
  - { name: no admin, when: 'request.path.startsWith("/admin")', deny: people only }
  - { name: people, when: '"engineering" in caller.groups', pass: true }
`

function fileWith(name: string, content: unknown): string {
  const file = path.join(folder, name)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

/** Runs `explain` with the rules above, or with the environment of a test. */
async function explain(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const usual = {
    CONFIG_FILE: fileWith('broker.yaml', rules),
    REPORTS_SECRET: secret,
    DEX_ISSUER: 'https://dex.example.com/dex',
  }
  await using command = runCommand(['explain', ...args], { ...usual, ...environment })
  const { code } = await command.end()
  return { code, stdout: command.stdout, stderr: command.stderr }
}

describe('explain with claims', () => {
  test('prints nothing that drives a terminal, whatever the claims hold', async () => {
    const hostile = 'person\u{1b}]0;title\u{7}\u{9b}31m\u{202e}\u{2028}'
    const claims = fileWith('hostile.json', { ...machine, sub: hostile, aud: 'orders', groups: [hostile] })
    const { stdout } = await explain(['--claims', claims, '--path', `/${hostile}`])
    expect(stdout).toMatch(/subject person /)
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  })

  test('shows the caller, why rules did not match, the client and the headers, and no secret', async () => {
    const claims = fileWith('machine.json', machine)
    const { code, stdout, stderr } = await explain(['--claims', claims, '--path', '/orders'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('issuer dex')
    expect(stdout).toContain('client id ci-pipeline')
    expect(stdout).toMatch(/1\. jobs +not matched: caller\.issuer == "cluster" is false/)
    expect(stdout).toMatch(/2\. ci +matched/)
    expect(stdout).toMatch(/3\. no admin +not reached/)
    expect(stdout).toContain('200, with a token of the client reports')
    expect(stdout).toContain('authorization: Bearer <token>')
    expect(stdout).toContain(`x-caller: ${machine.sub}`)
    expect(stdout).toMatch(/^remove .*x-client-secret/m)
    expect(stdout).not.toContain(secret)
  })

  test('shows that a path which a backend could read differently is refused', async () => {
    const claims = fileWith('machine.json', machine)
    const args = ['--claims', claims, '--method', 'POST', '--path', '/x/../admin']
    const { code, stdout } = await explain(args)
    expect(code).toBe(0)
    expect(stdout).toMatch(/2\. ci +not matched: request\.method == "GET" is false/)
    expect(stdout).toMatch(/3\. no admin +refused: /)
    expect(stdout).toContain('403 forbidden: the path is ambiguous')
  })

  test("passes the caller's own JWT on, and removes a forged header", async () => {
    const claims = fileWith('jane.json', { sub: 'jane', aud: 'orders', groups: ['engineering'] })
    const args = ['--claims', claims, '--issuer', 'staff', '--header', 'x-caller: forged']
    const { code, stdout } = await explain(args)
    expect(code).toBe(0)
    expect(stdout).toContain("200, with the caller's own JWT")
    expect(stdout).toMatch(/^remove .*x-caller/m)
    expect(stdout).not.toContain('forged')
  })

  test('shows an exchange and the form that Dex would get, without the JWT and without a request', async () => {
    const claims = fileWith('john.json', { sub: 'john', aud: 'orders', groups: ['engineering'] })
    const exchanging = rules
      .replace('scope: groups', 'scope: groups, audiences: [orders], authMethod: client_secret_post')
      .replace('pass: true', 'exchange: { connectorId: staff, client: reports, scope: openid email }')
    const { code, stdout, stderr } = await explain(['--claims', claims, '--issuer', 'staff'], {
      CONFIG_FILE: fileWith('exchanging.yaml', exchanging),
      UPSTREAM_TOKEN_HEADERS: 'id_token:x-id-token,access_token:x-access-token',
    })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/4\. people +matched/)
    expect(stdout).toContain(
      '200, with a Dex token of the caller: exchange by connector staff with client reports, scope openid email\n',
    )
    const form = stdout.slice(stdout.indexOf('exchange  '), stdout.indexOf('set  ')).trimEnd().split('\n')
    expect(form.map(line => line.replace(/^exchange|^ +/, '').trim()).sort()).toEqual([
      'client_id: reports',
      'client_secret: ********',
      'connector_id: staff',
      'grant_type: urn:ietf:params:oauth:grant-type:token-exchange',
      'scope: openid email audience:server:client_id:orders',
      "subject_token: <the caller's JWT>",
      'subject_token_type: urn:ietf:params:oauth:token-type:id_token',
    ])
    expect(stdout).toContain('authorization: Bearer <token>')
    // An exchange at Dex yields no ID token.
    expect(stdout).toContain('x-access-token: <token>')
    expect(stdout).toMatch(/^remove .*x-id-token/m)
    expect(stdout).not.toMatch(/eyJ|the-secret/)
  })

  test('judges the claims of a service account by the issuer that discovery would name', async () => {
    const claims = fileWith('account.json', {
      sub: 'system:serviceaccount:jobs:nightly',
      aud: ['dex-token-broker'],
    })
    const { stdout } = await explain(['--claims', claims, '--issuer', 'cluster'])
    expect(stdout).toMatch(/1\. jobs +matched/)
  })

  test('applies the gate: a wrong audience is refused with its reason', async () => {
    const claims = fileWith('other.json', { iss: 'https://idp.example.com', sub: 'jane', aud: 'billing' })
    const { code, stdout } = await explain(['--claims', claims])
    expect(code).toBe(0)
    expect(stdout).toContain('JWT refused: aud does not contain an expected audience')
    expect(stdout).toContain('401 invalid_token')
  })
})

describe('explain with a JWT', () => {
  test('shows what to check when the keys of its issuer cannot be loaded', async () => {
    const gone = await startDevDex()
    const jwt = gone.signJwt({ iss: gone.issuer, aud: 'orders', sub: 'jane', exp: 4_000_000_000 })
    await gone.close()
    const { code, stdout } = await explain(['--jwt-file', fileWith('jwt-of-gone', jwt)], {
      CONFIG_FILE: fileWith('gone.yaml', rules.replace(machine.iss, gone.issuer)),
      DEX_ISSUER: gone.issuer,
    })
    expect(code).toBe(0)
    expect(stdout).toContain('503 jwks_unavailable')
    expect(stdout).toMatch(
      /^hint +check that Dex is running, then the host and the port in DEX_ISSUER: the connection was refused$/m,
    )
  })

  test('verifies it with the keys of its issuer, and requests no token', async () => {
    const client = { id: 'reports', secret, name: 'Reports' }
    await using dex = await startDevDex({ clients: [client] })
    const config = `
issuers: [{ name: dex, issuer: ${dex.issuer}, audiences: [reports] }]
clients: [{ name: reports, clientId: reports, clientSecret: { env: REPORTS_SECRET } }]
rules: [{ name: all, when: 'has(caller.clientId)', client: reports }]
`
    const basic = Buffer.from(`reports:${secret}`).toString('base64')
    const response = await fetch(dex.tokenEndpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=client_credentials&scope=openid',
    })
    const { access_token: jwt } = (await response.json()) as { access_token: string }
    const environment = { CONFIG_FILE: fileWith('dex.yaml', config), DEX_ISSUER: dex.issuer }

    const { code, stdout, stderr } = await explain(['--jwt-file', fileWith('jwt', `${jwt}\n`)], environment)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/1\. all +matched/)
    expect(stdout).not.toContain(jwt)
    // The one of this test.
    expect(dex.counts.tokenRequests).toBe(1)
    expect(dex.counts.keysRequests).toBe(1)

    const forged = fileWith('forged', `${jwt.slice(0, -6)}AAAAAA`)
    const refused = await explain(['--jwt-file', forged], environment)
    expect(refused.stdout).toContain('JWT refused: ')
    expect(refused.stdout).toContain('401 invalid_token')
  })
})

test.each([
  [['--claims', '/nowhere/claims.json'], '--claims: /nowhere/claims.json cannot be read (ENOENT)'],
  [['--jwt-file', 'a', '--claims', 'b'], '--jwt-file and --claims exclude each other'],
  [['--issuer', 'staff'], '--issuer needs --claims'],
  [['--path', 'orders'], '--path must start with /'],
  [['--context', 'gold'], '--context must be key=value, not "gold"'],
  [['--header', 'no colon'], '--header must be \'name: value\', not "no colon"'],
  [[], 'callers need a JWT: add --jwt-file or --claims'],
  [['--verbose'], "Unknown option '--verbose'"],
])('explain %j is wrong usage: "%s"', async (args, message) => {
  const { code, stdout, stderr } = await explain(args)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(message)
  expect(stderr).toContain('Try dex-token-broker explain --help.')
})

test('claims without iss need the name of their issuer when there are several', async () => {
  const { code, stderr } = await explain(['--claims', fileWith('nobody.json', { sub: 'jane' })])
  expect(code).toBe(2)
  expect(stderr).toContain(
    'the claims have no iss; add it, or name the issuer with --issuer: staff, dex, cluster',
  )
})

test('explain reports every fault of the configuration with its place', async () => {
  const broken = rules.replace('caller.issuer ==', 'caller.issuer =')
  const { code, stderr } = await explain(['--claims', fileWith('machine.json', machine)], {
    CONFIG_FILE: fileWith('broken.yaml', broken),
  })
  expect(code).toBe(1)
  expect(stderr).toMatch(/broken\.yaml:9:\d+: /)
})

describe('explain with a context', () => {
  const environment = { REPORTS_SECRET: secret, ALLOW_UNAUTHENTICATED_CALLERS: 'true' }
  const clients = 'clients: [{ name: reports, clientId: reports, clientSecret: { env: REPORTS_SECRET } }]'

  test('shows how rules judge the route', async () => {
    const file = `${clients}\nrules: [{ name: gold, when: 'context.tier == "gold=1"', client: reports }]\n`
    const CONFIG_FILE = fileWith('tiers.yaml', file)
    const gold = ['--context', 'tier=gold=1', '--context', 'other=']
    expect((await explain(gold, { ...environment, CONFIG_FILE })).stdout).toMatch(/1\. gold +matched/)
    const silver = ['--context', 'tier=silver']
    expect((await explain(silver, { ...environment, CONFIG_FILE })).stdout).toMatch(/1\. gold +not matched/)
  })

  test('shows the client that a route chooses, and the refusal of one that does not exist', async () => {
    const CONFIG_FILE = fileWith('routes.yaml', `${clients}\n`)
    const routes = { ...environment, CONFIG_FILE, ALLOW_ROUTE_CLIENTS: 'true' }
    const named = await explain(['--context', 'client=reports'], routes)
    expect(named.stdout).toContain('200, with a token of the client reports')
    const unknown = await explain(['--context', 'client=nobody'], routes)
    expect(unknown.stdout).toContain('500 server_error')
    const none = await explain(['--header', 'x-client-id: a', '--header', 'x-client-secret: b'], routes)
    expect(none.stdout).toContain("200, with a token by the caller's own credentials")
  })
})
