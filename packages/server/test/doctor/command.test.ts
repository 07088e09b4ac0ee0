import { spawnSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { brokerCommand, listening, until } from '@broker/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { WrongArguments } from '../../src/command-line/wrong-arguments.ts'
import { runCommand } from '../support/command.ts'
import { startDex } from '../support/start-broker.ts'
import { doctor } from './run-in-process.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'broker-doctor-'))
afterAll(() => rmSync(folder, { recursive: true }))

const addresses = { LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0' }

async function run(args: readonly string[], environment: Readonly<Record<string, string>>) {
  await using command = runCommand(['doctor', ...args], { ...addresses, ...environment })
  const { code } = await command.end(20_000)
  return { code, stdout: command.stdout, stderr: command.stderr }
}

describe('dex-token-broker doctor', () => {
  test('prints a line per check, what to do below, and ends with a sentence', async () => {
    await using dex = await startDex()
    const { code, stdout, stderr } = await run([], {
      DEX_ISSUER: dex.issuer,
      JWT_AUDIENCE: 'shop',
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET: 'outdated',
      STATIC_SCOPE: 'groups',
    })
    expect([code, stderr]).toEqual([1, ''])
    expect(stdout).toMatch(
      /^Configuration\n {2}ok {7}configuration {2}valid\n\nDex\n {2}ok {7}connection 127\.0\.0\.1:\d+ {2}accepted\n/,
    )
    expect(stdout).toMatch(
      /\n {2}failed {3}token of default {2}the configured client was rejected \(.*invalid_client.*\)\n {11}-> set STATIC_CLIENT_SECRET or STATIC_CLIENT_SECRET_FILE to /,
    )
    expect(stdout).toMatch(/\n\n1 check failed: 0 warnings, 10 passed, 1 skipped\.\n$/)
    expect(stdout).not.toContain('outdated')
    expect(stdout).not.toContain('\u{1b}')
  })

  test('exits with 0 when no check failed', async () => {
    await using dex = await startDex()
    const { code, stdout } = await run([], { DEX_ISSUER: dex.issuer })
    expect(code).toBe(0)
    expect(stdout).toMatch(/\nNo check failed: 0 warnings, 10 passed, 2 skipped\.\n$/)
  })

  test('prints one JSON document with --json', async () => {
    await using dex = await startDex()
    const { code, stdout, stderr } = await run(['--json'], { DEX_ISSUER: dex.issuer })
    expect([code, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toMatchObject({
      version: expect.any(String),
      verdict: 'ok',
      summary: expect.stringContaining('No check failed'),
      groups: expect.arrayContaining([
        {
          title: 'Gate',
          results: [expect.objectContaining({ name: 'gate', verdict: 'ok', fact: expect.any(String) })],
        },
      ]),
    })
  })

  test.each([
    [['--jsn'], /Unknown option '--jsn'/],
    [['--envoy', 'ftp://gateway'], /--envoy must be a URL/],
    [['--client', 'reports'], /--client and --client-id need --envoy/],
    [
      ['--envoy', 'http://127.0.0.1:1/', '--client-id', 'a'],
      /--client-id and --client-secret-file need each other/,
    ],
    [
      ['--client', 'a', '--client-id', 'a', '--client-secret-file', '-'],
      /--client and --client-id exclude each other/,
    ],
    [
      ['--envoy', 'http://127.0.0.1:1/', '--client-id', 'a', '--client-secret-file', '/dev/null'],
      /^--client-secret-file: "?\/dev\/null"? is empty$/,
    ],
    [['--path', 'orders'], /--path must start with \//],
    [['--jwt-file', '/nowhere/jwt'], /--jwt-file: \/nowhere\/jwt cannot be read \(ENOENT\)/],
    [['extra'], /Unexpected argument 'extra'/],
  ])('refuses wrong arguments: %s', async (args, message) => {
    await expect(doctor({}, args)).rejects.toThrow(message)
    await expect(doctor({}, args)).rejects.toBeInstanceOf(WrongArguments)
  })

  test('exits with 2 for wrong arguments', async () => {
    const { code, stdout, stderr } = await run(['--jsn'], {})
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^Unknown option '--jsn'.*\nTry dex-token-broker doctor --help\.\n$/s)
  })

  test('explains itself with --help, and is named by the help of the command', async () => {
    const help = await run(['--help'], {})
    expect(help.code).toBe(0)
    expect(help.stdout).toMatch(/^Usage: dex-token-broker doctor /)
    await using command = runCommand(['--help'])
    await command.end()
    expect(command.stdout).toMatch(/^ {2}doctor /m)
  })

  test('reads a JWT from standard input', async () => {
    const { stdout } = spawnSync(process.execPath, [brokerCommand, 'doctor', '--jwt-file', '-'], {
      input: 'hello\n',
      encoding: 'utf8',
      env: {
        ...addresses,
        DEX_TOKEN_URL: 'http://127.0.0.1:1/token',
        JWKS_URL: 'http://127.0.0.1:1/keys',
        STATIC_CLIENT_ID: 'orders',
        HTTP_TIMEOUT: '1s',
      },
    })
    expect(stdout).toContain('it is not a compact JWS; 5 characters')
  })

  test.each([['doctor'], ['explain']])('%s can be interrupted while it waits for a pipe', async name => {
    const pipe = path.join(folder, `${name}-pipe`)
    spawnSync('mkfifo', [pipe])
    await using command = runCommand([name, '--jwt-file', pipe], {
      ...addresses,
      DEX_ISSUER: 'http://127.0.0.1:1/dex',
      JWT_AUDIENCE: 'shop',
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET: 'orders-secret',
    })
    const writer = await openWriter(pipe)
    command.kill('SIGINT')
    await command.end(5_000)
    closeSync(writer)
  })

  test('reads a JWT from a pipe', async () => {
    const pipe = path.join(folder, 'jwt-pipe')
    spawnSync('mkfifo', [pipe])
    await using command = runCommand(['doctor', '--jwt-file', pipe], {
      ...addresses,
      DEX_ISSUER: 'http://127.0.0.1:1/dex',
      JWT_AUDIENCE: 'shop',
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET: 'orders-secret',
      HTTP_TIMEOUT: '1s',
    })
    const writer = await openWriter(pipe)
    writeSync(writer, 'hello\n')
    closeSync(writer)
    await command.end(20_000)
    expect(command.stdout).toContain('it is not a compact JWS; 5 characters')
  })

  test('reads no argument without an end', async () => {
    const { code, stderr } = await run(['--jwt-file', '/dev/zero'], { DEX_ISSUER: 'http://127.0.0.1:1/dex' })
    expect([code, stderr]).toEqual([
      2,
      '--jwt-file: /dev/zero is larger than 67108864 bytes\nTry dex-token-broker doctor --help.\n',
    ])
  })

  test('prints nothing that drives a terminal, whatever a server sends', async () => {
    const hostile = 'key\u{1b}]0;title\u{7}\u{9b}31m\u{202e}\u{2028}\u{200b}'
    await using server = await listening((_, answer) => {
      const keys = [{ kid: hostile, kty: 'RSA', alg: hostile, n: 'AA', e: 'AQAB' }]
      answer.end(JSON.stringify({ issuer: hostile, keys, grant_types_supported: [hostile] }))
    })
    for (const args of [[], ['--json']]) {
      const { stdout } = await run(args, {
        DEX_ISSUER: `${server.url}/dex`,
        DEX_JWKS_URL: `${server.url}/keys`,
      })
      expect(stdout).toContain('key')
      expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    }
  })

  test('shows nothing of an answer that repeats the credentials it was sent', async () => {
    await using dex = await startDex()
    await using echo = await listening(({ headers }, answer) => {
      const description = JSON.stringify(headers)
      answer.writeHead(401, { 'www-authenticate': 'Bearer realm="dex-token-broker", error="invalid_token"' })
      answer.end(JSON.stringify({ error: 'invalid_token', error_description: description }))
    })
    const file = path.join(folder, 'clients.yaml')
    writeFileSync(
      file,
      `settings: { DEX_ISSUER: "${dex.issuer}", ALLOW_INSECURE_DEX_URL: "true" }
clients:
  - { name: shop, clientId: orders, clientSecret: { env: SHOP_SECRET } }
`,
    )
    const withSecret = await run(['--client', 'shop', '--envoy', echo.url], {
      CONFIG_FILE: file,
      SHOP_SECRET: 'orders-secret',
    })
    expect(withSecret.stdout).toContain('the broker refuses it: invalid_token')
    expect(withSecret.stdout).not.toContain('orders-secret')

    const jwt = dex.signJwt({ iss: dex.issuer, aud: 'shop', sub: 'somebody', exp: 4_000_000_000 })
    const jwtFile = path.join(folder, 'echoed-jwt')
    writeFileSync(jwtFile, jwt)
    const withJwt = await run(['--jwt-file', jwtFile, '--envoy', echo.url], {
      DEX_ISSUER: dex.issuer,
      JWT_AUDIENCE: 'shop',
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET: 'orders-secret',
      ALLOW_INSECURE_DEX_URL: 'true',
    })
    expect(withJwt.stdout).toContain('the broker refuses it: invalid_token')
    expect(withJwt.stdout).not.toContain(jwt.split('.')[2])
  })

  test('keeps the end of a long document for a reader that takes its time', async () => {
    const file = path.join(folder, 'many-clients.yaml')
    const clients = Array.from({ length: 600 }, (_, index) => {
      const name = `client-${index}-${'x'.repeat(40)}`
      return { name, clientId: name, clientSecret: { env: 'SHOP_SECRET' } }
    })
    writeFileSync(file, JSON.stringify({ settings: { DEX_ISSUER: 'http://127.0.0.1:1/dex' }, clients }))
    // real time: longer than the command waits for what hangs
    const reader = spawnSync(
      'sh',
      ['-c', '"$0" "$1" doctor --json | { sleep 3; cat; }', process.execPath, brokerCommand],
      {
        encoding: 'utf8',
        env: { ...addresses, PATH: process.env['PATH'], CONFIG_FILE: file, SHOP_SECRET: 'orders-secret' },
      },
    )
    // More than a pipe holds.
    expect(reader.stdout.length).toBeGreaterThan(65_536)
    expect(JSON.parse(reader.stdout)).toMatchObject({ verdict: 'failed' })
  })

  test('ends at once when it is interrupted', async () => {
    await using silent = await listening(() => {})
    await using command = runCommand(['doctor'], {
      ...addresses,
      DEX_ISSUER: `${silent.url}/dex`,
      HTTP_TIMEOUT: '20s',
    })
    await until(() => command.stdout.includes('configuration'), 'the first group', 10_000)
    command.kill('SIGINT')
    expect(await command.end(2_000)).toMatchObject({ code: 130 })
  })

  test('reads the configuration file', async () => {
    await using dex = await startDex()
    const file = path.join(folder, 'broker.yaml')
    writeFileSync(
      file,
      `settings: { DEX_ISSUER: "${dex.issuer}" }
clients:
  - { name: shop, clientId: orders, clientSecret: { env: SHOP_SECRET }, audiences: [billing] }
`,
    )
    const { code, stdout } = await run([], { CONFIG_FILE: file, SHOP_SECRET: 'orders-secret' })
    expect(code).toBe(0)
    expect(stdout).toContain(`valid; ${file} has 0 issuers, 1 client and 0 rules`)
    expect(stdout).toMatch(/ok {7}token of shop {2}issued, expires in 24 h; aud billing, orders; /)
  })
})

/** Opens a pipe that somebody reads; waits until somebody does. */
async function openWriter(pipe: string): Promise<number> {
  let writer: number | undefined
  await until(() => {
    try {
      // Without a reader, a writer that does not wait gets ENXIO.
      writer ??= openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
    } catch {}
    return writer !== undefined
  }, 'a reader of the pipe')
  return writer ?? -1
}
