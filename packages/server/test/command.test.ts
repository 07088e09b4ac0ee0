import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ask, brokerCommand, freePort, until } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { variableNames } from '../src/config/schema/config-schema.ts'
import { Command, runCommand } from './support/command.ts'
import { bearerOf, orders, startDex } from './support/start-broker.ts'

const addresses = { LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0' }
const stackTrace = /^\s+at .*[:(]/m

/** Runs the command to its end. */
async function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  await using command = runCommand(args, environment)
  const { code } = await command.end()
  return { code, stdout: command.stdout, stderr: command.stderr }
}

describe('--help', () => {
  test.each(['--help', '-h'])(
    'as %s lists every variable and option, whatever the environment',
    async flag => {
      const { code, stdout, stderr } = await run([flag], { HTTP_TIMEOUT: 'nonsense' })
      expect([code, stderr]).toEqual([0, ''])
      for (const name of variableNames) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
      for (const option of ['--help', '--version', '--check-config']) expect(stdout).toContain(option)
      expect(Math.max(...stdout.split('\n').map(line => line.length))).toBeLessThanOrEqual(110)
      expect(stdout.endsWith('\n')).toBe(true)
    },
  )
})

describe('--version', () => {
  test.each(['--version', '-v'])('as %s prints the version of the package', async flag => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    expect(await run([flag], { HTTP_TIMEOUT: 'nonsense' })).toEqual({
      code: 0,
      stdout: `dex-token-broker ${version}\n`,
      stderr: '',
    })
  })
})

describe('a reader who leaves early', () => {
  test.each(['--help', '--version', '--check-config'])(
    'of %s is no reason for a stack trace',
    async option => {
      await using command = runCommand([option])
      command.child.stdout?.destroy()
      expect((await command.end()).code).toBe(0)
      expect(command.stderr).not.toMatch(stackTrace)
    },
  )

  test.each(['json', 'text'])('of the log in %s ends no check', async format => {
    await using dex = await startDex()
    await using command = runCommand([], {
      ...addresses,
      DEX_TOKEN_URL: dex.tokenEndpoint,
      LOG_FORMAT: format,
      LOG_LEVEL: 'DEBUG',
    })
    const { port } = await command.listening()
    command.child.stdout?.destroy()
    for (let count = 0; count < 3; count++) bearerOf(await ask(port, { headers: orders }))
    command.kill('SIGTERM')
    expect(await command.end()).toEqual({ code: 0, signal: null })
    expect(command.stderr).toBe('')
  })
})

describe.each(['json', 'text'])('a reader of the log in %s that stops reading', format => {
  test('holds up neither checks nor the stop, and dropped lines are counted', async () => {
    await using dex = await startDex()
    await using command = runCommand([], {
      ...addresses,
      DEX_TOKEN_URL: dex.tokenEndpoint,
      LOG_FORMAT: format,
      LOG_LEVEL: 'DEBUG',
    })
    const { port, adminPort = 0 } = await command.listening()
    command.child.stdout?.pause()
    const dropped = async () => {
      const { body } = await ask(adminPort, { target: '/metrics' })
      return Number(/^dex_token_broker_log_lines_dropped_total (\d+)$/m.exec(body)?.[1])
    }
    await until(
      async () => {
        // Each check writes a line.
        const headers = { ...orders, 'x-request-id': 'x'.repeat(64) }
        const request = { headers }
        const answers = await Promise.all(Array.from({ length: 200 }, () => ask(port, request)))
        for (const answer of answers) bearerOf(answer)
        return (await dropped()) > 0
      },
      'lines that are dropped',
      30_000,
    )
    command.kill('SIGTERM')
    expect(await command.end()).toEqual({ code: 0, signal: null })
  })
})

describe('a Node.js that is too old', () => {
  test('is told what is needed, and ends the command with 1', async () => {
    const preload = `
      Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })
      Object.defineProperty(process, 'version', { value: 'v20.20.2' })`
    await using command = new Command(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(preload)}`, brokerCommand],
      addresses,
    )
    expect(await command.end()).toEqual({ code: 1, signal: null })
    expect(command.output).toBe('dex-token-broker needs Node.js >=22.19; this is v20.20.2\n')
  })
})

describe('a stop signal', () => {
  test('in the first moments ends the process with 0, also as process 1 of a container', async () => {
    // Sends the signal at the moment at which the handler is there; nothing that takes time may be loaded before it.
    const preload = `
      import { registerHooks } from 'node:module'
      let loaded = 0
      registerHooks({ load(url, context, next) { loaded++; return next(url, context) } })
      process.on('newListener', event => {
        if (event !== 'SIGTERM') return
        process.stderr.write(String(loaded))
        setImmediate(() => process.kill(process.pid, 'SIGTERM'))
      })`
    await using command = new Command(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(preload)}`, brokerCommand],
      addresses,
    )
    expect(await command.end()).toEqual({ code: 0, signal: null })
    expect(Number(command.stderr)).toBeLessThanOrEqual(4)
  })
})

describe('wrong usage', () => {
  test.each([
    ['--nonsense'],
    ['-x'],
    ['serve'],
    ['--version=1'],
    ['--help', 'extra'],
    ['--check-config', '--foo'],
  ])('%s is refused with 2 and a sentence', async (...args) => {
    const { code, stdout, stderr } = await run(args, addresses)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(args.at(-1)?.split('=')[0])
    expect(stderr).toContain('Try dex-token-broker --help.')
    expect(stderr).not.toMatch(stackTrace)
  })
})

describe('--check-config', () => {
  test('prints the effective configuration with secrets masked, and starts nothing', async () => {
    const { code, stdout, stderr } = await run(['--check-config'], {
      STATIC_CLIENT_ID: 'reports',
      STATIC_CLIENT_SECRET: 'a-real-secret',
      STATIC_SCOPE: 'openid',
      HTTP_TIMEOUT: '1500ms',
    })
    expect(code).toBe(0)
    for (const name of variableNames) expect(stdout).toMatch(new RegExp(`^${name}=`, 'm'))
    expect(stdout).toContain('STATIC_CLIENT_ID=reports\n')
    expect(stdout).toMatch(/^STATIC_CLIENT_SECRET=\*+$/m)
    expect(stdout).toContain('HTTP_TIMEOUT=1.5s\n')
    expect(stdout + stderr).not.toContain('a-real-secret')
    expect(stderr).toMatch(/^warning: STATIC_CLIENT_ID and STATIC_CLIENT_SECRET are set without a JWT gate/m)
  })

  test('of a wrong environment tells every fault on stderr and ends with 1', async () => {
    const { code, stdout, stderr } = await run(['--check-config'], {
      HTTP_TIMEOUT: '5',
      LISTEN_ADDR: '8080',
      CACHE_MAX_ENTRIES: 'many',
      JWT_AUDIENCE: 'x',
    })
    expect([code, stdout]).toEqual([1, ''])
    for (const name of ['HTTP_TIMEOUT', 'LISTEN_ADDR', 'CACHE_MAX_ENTRIES', 'JWKS_URL', 'STATIC_CLIENT_ID']) {
      expect(stderr).toMatch(new RegExp(`^${name}: .*; example: ${name}=`, 'm'))
    }
    expect(stderr).not.toMatch(stackTrace)
  })
})

describe('a start that fails', () => {
  test('by a wrong environment tells every fault on stderr, without a stack, and ends with 1', async () => {
    const { code, stdout, stderr } = await run([], {
      DEX_TOKEN_URL: 'http://dex.example/token',
      STATIC_CLIENT_SECRET: 'a-real-secret\u0007',
      UPSTREAM_AUTH_HEADER: 'content-length',
    })
    expect([code, stdout]).toEqual([1, ''])
    const faults = stderr
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(faults.map(({ level, variable, msg }) => [level, variable, msg])).toEqual([
      ['fatal', 'STATIC_CLIENT_SECRET', 'configuration rejected'],
      ['fatal', 'UPSTREAM_AUTH_HEADER', 'configuration rejected'],
      ['fatal', 'DEX_TOKEN_URL', 'configuration rejected'],
    ])
    expect(faults.at(-1).problem).toContain('ALLOW_INSECURE_DEX_URL=true')
    expect(stderr).not.toContain('a-real-secret')
    expect(stderr).not.toMatch(stackTrace)
  })

  test('by a wrong environment is text for people with LOG_FORMAT=text', async () => {
    const { code, stdout, stderr } = await run([], {
      DEX_TOKEN_URL: 'http://dex.example/token',
      LOG_FORMAT: 'text',
    })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^DEX_TOKEN_URL: .*ALLOW_INSECURE_DEX_URL=true/)
  })

  test('by a busy port tells which variable to change, without a stack, and ends with 1', async () => {
    const busy = createServer()
    await new Promise<void>(resolve => busy.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = busy.address() as AddressInfo
      for (const [name, other] of [
        ['LISTEN_ADDR', 'ADMIN_ADDR'],
        ['ADMIN_ADDR', 'LISTEN_ADDR'],
      ] as const) {
        const environment = { [name]: `127.0.0.1:${port}`, [other]: '127.0.0.1:0', LOG_FORMAT: 'text' }
        const { code, stderr } = await run([], environment)
        expect(code).toBe(1)
        expect(stderr).toMatch(new RegExp(`^${name}: 127\\.0\\.0\\.1:${port} is already in use`))
        expect(stderr).not.toMatch(stackTrace)
      }
    } finally {
      busy.close()
    }
  })
})

describe('the log', () => {
  test('is JSON by default, one object a line, with a time, and single checks are not in it', async () => {
    await using dex = await startDex()
    await using command = runCommand([], { ...addresses, DEX_TOKEN_URL: dex.tokenEndpoint })
    const { port } = await command.listening()
    bearerOf(await ask(port, { headers: orders }))
    command.kill('SIGTERM')
    await command.end()
    const lines = command.stdout.trim().split('\n')
    const messages = lines.map(line => {
      const { level, msg, time } = JSON.parse(line)
      expect(level).toBe('info')
      expect(Date.parse(time)).toBeGreaterThan(0)
      return msg
    })
    expect(messages).toEqual(['starting', 'listening', 'ready', 'stopping', 'stopped'])
  })

  test('is text for people with LOG_FORMAT=text', async () => {
    await using dex = await startDex()
    await using command = runCommand([], {
      ...addresses,
      DEX_TOKEN_URL: dex.tokenEndpoint,
      LOG_FORMAT: 'text',
      LOG_LEVEL: 'debug',
    })
    const { port } = await command.listening()
    bearerOf(await ask(port, { headers: orders }))
    await until(() => /DEBUG.*: check/.test(command.stdout), 'the check in the log')
    const lines = command.stdout.trim().split('\n')
    expect(lines.every(line => /\b(INFO|DEBUG)\b/.test(line) && !line.startsWith('{'))).toBe(true)
    expect(command.stdout).not.toContain('\u001b[')
  })

  test('has single checks at DEBUG', async () => {
    await using dex = await startDex()
    await using command = runCommand([], {
      ...addresses,
      DEX_TOKEN_URL: dex.tokenEndpoint,
      LOG_LEVEL: 'DEBUG',
    })
    const { port } = await command.listening()
    bearerOf(await ask(port, { headers: orders }))
    await ask(port)
    await until(() => command.stdout.split('"msg":"check"').length === 3, 'two checks in the log')
    expect(command.stdout).toContain('"outcome":"deny","code":"missing_credentials"')
  })

  test('has nothing below the level that LOG_LEVEL sets', async () => {
    await using dex = await startDex()
    // Its log does not say where it listens.
    const port = await freePort()
    await using command = runCommand([], {
      ...addresses,
      LISTEN_ADDR: `127.0.0.1:${port}`,
      DEX_TOKEN_URL: dex.tokenEndpoint,
      LOG_LEVEL: 'ERROR',
    })
    const passes = () =>
      ask(port, { headers: orders }).then(
        ({ status }) => status === 200,
        () => false,
      )
    await until(passes, 'a check that passes')
    await ask(port)
    command.kill('SIGTERM')
    expect(await command.end()).toEqual({ code: 0, signal: null })
    expect(command.output).toBe('')
  })
})

describe('as a replacement of the Go service', () => {
  test('starts and works with exactly its environment, every variable of it set to something else', async () => {
    await using dex = await startDex()
    const environment = {
      LISTEN_ADDR: '127.0.0.1:0',
      DEX_TOKEN_URL: dex.tokenEndpoint,
      HTTP_TIMEOUT: '3s',
      CACHE_CLEANUP_INTERVAL: '1m30s',
      EXPIRY_SAFETY_MARGIN: '1m',
      CACHE_MAX_ENTRIES: '7',
      ALLOW_INSECURE_DEX_URL: 'true',
      LOG_LEVEL: 'debug',
      SHUTDOWN_TIMEOUT: '1500ms',
      UPSTREAM_AUTH_HEADER: 'X-Dex-Authorization',
      UPSTREAM_TOKEN_HEADERS: 'access_token,token_type:X-Token-Type',
      CLIENT_ID_HEADER: 'X-App',
      CLIENT_SECRET_HEADER: 'X-App-Secret',
      SCOPE_HEADER: 'X-App-Scope',
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET: 'orders-secret',
      STATIC_SCOPE: 'openid email profile groups',
      JWKS_URL: dex.jwksUri,
      JWT_HEADER: 'X-Caller-JWT',
      JWT_ISSUER: dex.issuer,
      JWT_AUDIENCE: 'my-service',
    }
    await using command = runCommand([], environment)
    const { port } = await command.listening()
    expect((await ask(port, { target: '/healthz' })).status).toBe(200)
    expect((await ask(port)).status).toBe(401)
    const jwt = dex.signJwt({ iss: dex.issuer, aud: 'my-service', exp: Math.floor(Date.now() / 1000) + 60 })
    // What the caller says of client and scope does not count.
    const headers = { 'x-caller-jwt': jwt, 'x-app': 'x', 'x-app-secret': 'y', 'x-app-scope': 'z' }
    for (const method of ['GET', 'POST']) {
      const answer = await ask(port, { method, headers })
      expect(answer.status).toBe(200)
      const token = bearerOf(answer, 'x-dex-authorization')
      expect(answer.header('access_token')).toBe(token)
      expect(answer.header('x-token-type')).toBe('bearer')
      expect(answer.header('authorization')).toBeUndefined()
      expect(answer.header('cache-control')).toBe('no-store')
    }
    expect(dex.counts).toMatchObject({ tokenRequests: 1, keysRequests: 1 })
    expect(dex.tokenRequests[0]?.form['scope']).toBe('openid email profile groups')
    command.kill('SIGTERM')
    expect(await command.end(3_000)).toEqual({ code: 0, signal: null })
  })

  test('starts with nothing but an address, as it did', async () => {
    await using command = runCommand([], { LISTEN_ADDR: '127.0.0.1:0' })
    const { port } = await command.listening()
    const { status, body } = await ask(port, { target: '/healthz' })
    expect([status, body.trim()]).toEqual([200, 'ok'])
    expect(command.stdout).toContain('https://dex.dex.svc.cluster.local/token')
  })
})
