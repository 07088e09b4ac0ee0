import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { startRealDex } from '@broker/dev-dex/real-dex'
import { brokerCommand, createCertificateAuthority, freePort, until } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { Command, runCommand } from '../support/command.ts'
import { startDex } from '../support/start-broker.ts'
import { runToken, TokenUser } from './run-token-command.ts'

const dexBinary = process.env['DEX_BIN']
const jwt = /^[\w-]+\.[\w-]+\.[\w-]+$/

describe('the command token', () => {
  test('prints the token and a line break, and nothing else, with one token request', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    const { code, stdout, stderr } = await runToken([], user.environment(dex))
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.endsWith('\n')).toBe(true)
    expect(stdout.trimEnd()).toMatch(jwt)
    expect(dex.counts.tokenRequests).toBe(1)
  })

  test('prints the header for curl', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    const { code, stdout } = await runToken(['--header'], user.environment(dex))
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Authorization: Bearer [\w.-]+\n$/)
  })

  test('prints JSON with the names of RFC 6749, and the expiry in seconds', async () => {
    using user = new TokenUser()
    await using dex = await startDex({ idTokensMs: 600_000 })
    const { stdout } = await runToken(['--json'], user.environment(dex))
    const answer = JSON.parse(stdout)
    expect(Object.keys(answer)).toEqual(['access_token', 'token_type', 'expires_in', 'expires_at'])
    expect(answer.token_type).toBe('Bearer')
    expect(answer.expires_in).toBeGreaterThan(500)
    expect(answer.expires_in).toBeLessThanOrEqual(600)
    expect(answer.expires_at).toBeLessThanOrEqual(decodeJwt(answer.access_token).exp ?? 0)
  })

  test.each([
    [undefined, 'client.authentication.k8s.io/v1'],
    ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1'],
    ['client.authentication.k8s.io/v1beta1', 'client.authentication.k8s.io/v1beta1'],
  ])('prints an ExecCredential for kubectl that asks for %s', async (asked, version) => {
    using user = new TokenUser()
    await using dex = await startDex()
    const execInfo = asked && JSON.stringify({ kind: 'ExecCredential', apiVersion: asked, spec: {} })
    const { stdout } = await runToken(['--format=kubectl'], {
      ...user.environment(dex),
      ...(execInfo && { KUBERNETES_EXEC_INFO: execInfo }),
    })
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: version,
      kind: 'ExecCredential',
      status: {
        token: expect.stringMatching(jwt),
        expirationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      },
    })
  })

  test('refuses an ExecCredential that kubectl no longer has, before it asks Dex', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    const { code, stderr } = await runToken(['--format=kubectl'], {
      ...user.environment(dex),
      KUBERNETES_EXEC_INFO: '{"apiVersion":"client.authentication.k8s.io/v1alpha1"}',
    })
    expect(code).toBe(2)
    expect(stderr).toContain('set apiVersion in the kubeconfig to client.authentication.k8s.io/v1')
    expect(dex.counts.tokenRequests).toBe(0)
  })

  test('sends the scopes and the audiences of the call in place of those of the client', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    const args = ['--scope', 'openid', '--scope=groups email', '--audience', 'billing']
    const { code, stdout } = await runToken(args, user.environment(dex))
    expect(code).toBe(0)
    expect(dex.tokenRequests[0]?.form['scope']).toBe('openid groups email audience:server:client_id:billing')
    expect(decodeJwt(stdout).aud).toEqual(['billing', 'orders'])
  })

  test('takes a client of the configuration file, behind a private CA and without a gate', async () => {
    using user = new TokenUser()
    const authority = createCertificateAuthority('Dex CA')
    await using dex = await startDex({ tls: authority.issue('127.0.0.1') })
    const ca = path.join(user.home, 'ca.crt')
    writeFileSync(ca, authority.cert)
    const file = path.join(user.home, 'broker.yaml')
    writeFileSync(
      file,
      `settings: { DEX_ISSUER: "${dex.issuer}", DEX_CA_FILE: ${ca} }
clients:
  - { name: reports, clientId: billing, clientSecret: { env: REPORTS_SECRET } }
`,
    )
    const environment = { HOME: user.home, CONFIG_FILE: file, REPORTS_SECRET: 'billing-secret' }
    const { code, stdout, stderr } = await runToken(['--client', 'reports'], environment)
    expect([code, stderr]).toEqual([0, ''])
    expect(decodeJwt(stdout).aud).toBe('billing')

    const unknown = await runToken(['--client=report'], environment)
    expect([unknown.code, unknown.stdout]).toEqual([2, ''])
    expect(unknown.stderr).toBe(
      '--client: "report" is not a client; known clients: reports; did you mean "reports"?\n',
    )

    const without = await runToken([], environment)
    expect([without.code, without.stdout]).toEqual([1, ''])
    expect(without.stderr).toContain('name a client with --client: reports')
  })

  test('loads neither the server nor its libraries', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    const preload = `
      import { registerHooks } from 'node:module'
      registerHooks({ load(url, context, next) { process.stderr.write(url + '\\n'); return next(url, context) } })`
    await using command = new Command(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(preload)}`, brokerCommand, 'token'],
      user.environment(dex),
    )
    expect((await command.end()).code).toBe(0)
    expect(command.stderr).toContain('run-token.js')
    expect(command.stderr).not.toMatch(/broker-server|hono|prom-client|\/pino\/|\/yaml\/|run-doctor/)
  })
})

describe('the exit status of the command token', () => {
  test('is 2 for wrong arguments, with a sentence', async () => {
    using user = new TokenUser()
    const environment = user.environment({ issuer: 'http://127.0.0.1:1/dex' })
    for (const [args, sentence] of [
      [['--scop=openid'], "Unknown option '--scop'; did you mean --scope?"],
      [['reports'], "Unexpected argument 'reports'"],
      [['--format=yaml'], '--format must be one of token, header, json, kubectl, not "yaml"'],
      [['--json', '--header'], '--format, --header and --json exclude each other'],
      [['--timeout=5'], '--timeout: "5" is not a duration; example: --timeout=10s'],
      [['--min-remaining=5m'], '--min-remaining needs --cache'],
      [['--cache-key=key'], '--cache-key needs --cache'],
      [['--client='], '--client: "" is not a client; known clients: default'],
      [['--audience=a b'], 'an audience contains a character that a scope cannot contain (invalid_request)'],
    ] as const) {
      const { code, stdout, stderr } = await runToken(args, environment)
      expect([code, stdout, stderr.split('\n')[0]]).toEqual([2, '', sentence])
    }
  })

  test('is 1 for a wrong configuration, and every fault is told', async () => {
    const { code, stdout, stderr } = await runToken([], { HTTP_TIMEOUT: '5', DEX_ISSUER: 'dex' })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^HTTP_TIMEOUT: /m)
    expect(stderr).toMatch(/^DEX_ISSUER: /m)
  })

  test.each([
    [{}, 'no client is configured', /^set STATIC_CLIENT_ID and STATIC_CLIENT_SECRET_FILE, or name a client/],
    [
      { STATIC_CLIENT_ID: 'orders' },
      'the client of STATIC_CLIENT_ID has no secret',
      /^set STATIC_CLIENT_SECRET_FILE$/,
    ],
    [
      { STATIC_CLIENT_SECRET: 'orders-secret' },
      'the secret of the client has no client id',
      /^set STATIC_CLIENT_ID$/,
    ],
  ])('is 1 without a whole client, and says which part is missing: %j', async (client, fact, advice) => {
    await using dex = await startDex()
    const { code, stdout, stderr } = await runToken([], { DEX_ISSUER: dex.issuer, ...client })
    const [first, second] = stderr.split('\n')
    expect([code, stdout, first]).toEqual([1, '', fact])
    expect(second).toMatch(advice)
  })

  test.each([
    [
      '--audience=nobody',
      'add this client to the trustedPeers of each peer in --audience: Dex rejected an audience',
    ],
    ['--scope=reports', 'correct --scope: Dex rejected it; client ids of services belong in --audience'],
  ])('is 3 when Dex rejects %s, and the advice names the argument', async (argument, advice) => {
    using user = new TokenUser()
    await using dex = await startDex()
    const { code, stderr } = await runToken([argument], user.environment(dex))
    expect([code, stderr.split('\n')[1]]).toEqual([3, advice])
  })

  test('is 4 without an issuer, and asks for one', async () => {
    const client = { STATIC_CLIENT_ID: 'orders', STATIC_CLIENT_SECRET: 'orders-secret' }
    const { code, stderr } = await runToken([], client)
    expect(code).toBe(4)
    expect(stderr).toContain('set DEX_ISSUER: without it and DEX_TOKEN_URL')
  })

  test('is 3 when Dex refuses the client, with the reason of Dex and without the secret', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    const { code, stdout, stderr } = await runToken([], {
      ...user.environment(dex),
      STATIC_CLIENT_SECRET: 'a-wrong-secret',
    })
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toContain('invalid_client')
    expect(stderr).toContain('STATIC_CLIENT_SECRET')
    expect(stderr).not.toContain('a-wrong-secret')
  })

  test('is 4 when nothing listens at Dex, with its URL', async () => {
    using user = new TokenUser()
    const issuer = `http://127.0.0.1:${await freePort()}/dex`
    const { code, stderr } = await runToken(['--timeout=2s'], user.environment({ issuer }))
    expect(code).toBe(4)
    expect(stderr).toContain('ECONNREFUSED')
    expect(stderr).toContain(issuer)
  })

  test('is 4 when Dex does not answer within --timeout, whatever HTTP_TIMEOUT is', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    dex.setFault('token', { kind: 'hang' })
    const { code, stderr } = await runToken(['--timeout=300ms'], {
      ...user.environment(dex),
      HTTP_TIMEOUT: '1h',
    })
    expect(code).toBe(4)
    expect(stderr).toContain('300')
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('after %s is %i', async (signal, status) => {
    using user = new TokenUser()
    await using dex = await startDex()
    dex.setFault('token', { kind: 'hang' })
    await using command = runCommand(['token'], { ...user.environment(dex), HTTP_TIMEOUT: '1h' })
    await until(() => dex.counts.tokenRequests === 1, 'the token request')
    command.kill(signal)
    expect(await command.end()).toEqual({ code: status, signal: null })
    expect(command.output).toBe('')
  })
})

describe('with a real Dex', needs({ DEX_BIN: dexBinary !== undefined }), () => {
  test('the command token prints its token', async () => {
    using user = new TokenUser()
    await using dex = await startRealDex(dexBinary ?? '', {
      clients: [{ id: 'orders', secret: 'orders-secret' }],
    })
    const { code, stdout, stderr } = await runToken(['--json'], user.environment(dex))
    expect([code, stderr]).toEqual([0, ''])
    expect(decodeJwt(JSON.parse(stdout).access_token).iss).toBe(dex.issuer)
  })
})
