import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createCertificateAuthority, ManagedProcess } from '@broker/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sendRequest } from './send-request.ts'

// As users run it: built.
const script = path.resolve(import.meta.dirname, '../dist/command.js')

function start(...args: readonly string[]): ManagedProcess {
  return new ManagedProcess('dev-dex', process.execPath, [script, ...args])
}

async function started(...args: readonly string[]): Promise<ManagedProcess> {
  const dex = start(...args)
  await dex.until('its start text', () => (dex.log.includes('Ctrl+C stops it.') ? true : undefined))
  return dex
}

async function run(...args: readonly string[]) {
  await using dex = start(...args)
  return { code: await dex.ended(), text: dex.log }
}

function shown({ log }: ManagedProcess, name: string): string {
  return new RegExp(`^  ${name} +(\\S.*)$`, 'm').exec(log)?.[1] ?? ''
}

/** The words of the printed call, as a shell reads them. */
function wordsOfCurl({ log }: ManagedProcess): string[] {
  const line = /^ {2}curl .*$/m.exec(log)?.[0] ?? ''
  const text = execFileSync('/bin/sh', ['-c', `curl() { printf '%s\\n' "$@"; }\n${line}`], {
    encoding: 'utf8',
  })
  return text.trimEnd().split('\n')
}

/** Sends what the printed call sends. */
async function callAsPrinted(dex: ManagedProcess) {
  const words = wordsOfCurl(dex)
  const after = (option: string) => words[words.indexOf(option) + 1] ?? ''
  const { status, body } = await sendRequest(words.at(-1) ?? '', {
    headers: { authorization: `Basic ${Buffer.from(after('-u')).toString('base64')}` },
    body: { grant_type: 'client_credentials', scope: after('--data-urlencode').replace('scope=', '') },
  })
  return { status, answer: JSON.parse(body) }
}

function claimsOf(jwt: string) {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
}

describe('dev-dex', () => {
  test('prints a call that gets a token for the audience of the other client', async () => {
    await using dex = await started('--port', '0')
    const { status, answer } = await callAsPrinted(dex)
    expect(status).toBe(200)
    expect(claimsOf(answer.access_token)).toMatchObject({
      iss: shown(dex, 'issuer'),
      aud: ['orders', 'reports'],
    })
    expect(shown(dex, 'token endpoint')).toBe(`${shown(dex, 'issuer')}/token`)
    expect((await sendRequest(shown(dex, 'key set'))).status).toBe(200)
  })

  test('prints what the guides show', async () => {
    await using dex = await started('--port', '0')
    const port = new URL(shown(dex, 'issuer')).port
    const text = readFileSync(new URL('./start-text.console', import.meta.url), 'utf8')
    expect(dex.log.replaceAll(port, '5556')).toBe(text.replace(/^.*\n/, ''))
  })

  test('knows the given clients, peers and users, whatever characters they have', async () => {
    await using dex = await started(
      ...[
        '--port',
        '0',
        '--client',
        "o'brien:a b:c%&$",
        '--client',
        'api:x',
        '--trusted-peer',
        "api=o'brien",
      ],
      ...['--user', 'ada@example.com:ada:password', '--token-lifetime', '1m30s', '--issuer-path', '/a/b'],
    )
    expect([shown(dex, 'clients'), shown(dex, 'users')]).toEqual(["o'brien, api", 'ada@example.com'])
    expect(shown(dex, 'issuer')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/a\/b$/)
    const { status, answer } = await callAsPrinted(dex)
    expect([status, claimsOf(answer.access_token).aud]).toEqual([200, ['api', "o'brien"]])
    expect(answer.expires_in).toBeLessThanOrEqual(90)
    const login = await sendRequest(shown(dex, 'token endpoint'), {
      headers: { authorization: `Basic ${Buffer.from('api:x').toString('base64')}` },
      body: {
        grant_type: 'password',
        username: 'ada@example.com',
        password: 'ada:password',
        scope: 'openid',
      },
    })
    expect(login.status).toBe(200)
  })

  test('serves HTTPS with a certificate, by an issuer that is not its address', async () => {
    const ca = createCertificateAuthority()
    const folder = mkdtempSync(path.join(tmpdir(), 'dev-dex-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = (name: string, text: string) => {
      writeFileSync(path.join(folder, name), text)
      return path.join(folder, name)
    }
    const { key, cert } = ca.issue('127.0.0.1')
    await using dex = await started(
      ...['--port', '0', '--tls-key', file('key.pem', key), '--tls-cert', file('cert.pem', cert)],
      ...['--issuer', 'https://dex.example.com/dex', '--algorithm', 'ES256'],
    )
    expect(shown(dex, 'issuer')).toBe('https://dex.example.com/dex')
    expect(wordsOfCurl(dex)).toEqual(expect.arrayContaining(['--cacert', path.join(folder, 'cert.pem')]))
    expect(shown(dex, 'token endpoint')).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/dex\/token$/)
  })

  test('listens on the other loopback address, in brackets', async () => {
    await using dex = await started('--port', '0', '--host', '::1')
    expect(shown(dex, 'issuer')).toMatch(/^http:\/\/\[::1\]:\d+\/dex$/)
    // Unquoted brackets are a pattern for a shell.
    expect(dex.log).toContain(` '${shown(dex, 'token endpoint')}'`)
    expect((await callAsPrinted(dex)).status).toBe(200)
  })

  test('listens for other machines when told to', async () => {
    await using dex = await started('--port', '0', '--host', '0.0.0.0', '--allow-remote')
    expect((await callAsPrinted(dex)).status).toBe(200)
  })

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'stops at %s, also while a client holds a connection',
    async signal => {
      await using dex = await started('--port', '0')
      await (await fetch(shown(dex, 'key set'))).text()
      dex.signal(signal)
      expect(await dex.ended()).toBe(0)
    },
  )
})

describe('dev-dex refuses', () => {
  test.each([
    [['--client', 'reports'], '--client must be ID:SECRET, such as reports:reports-secret'],
    [['--client', ':secret'], '--client must be ID:SECRET, such as reports:reports-secret'],
    [['--client', 'a:1', '--client', 'a:2'], '--client: the id a appears twice'],
    [['--trusted-peer', 'orders'], '--trusted-peer must be ID=PEER, such as orders=reports'],
    [['--trusted-peer', 'orders=web'], '--trusted-peer: there is no --client with the id web'],
    [['--user', 'ada'], '--user must be EMAIL:PASSWORD, such as ada@example.com:ada-password'],
    [['--port', '65536'], '--port must be a number from 0 to 65535, not 65536'],
    [['--port', '0x50'], '--port must be a number from 0 to 65535, not 0x50'],
    [
      ['--host', '0.0.0.0'],
      '--host 0.0.0.0 lets other machines reach it: add --allow-remote if you want that',
    ],
    [['--host', '::'], '--host :: lets other machines reach it: add --allow-remote if you want that'],
    [['--issuer', 'dex:5556'], '--issuer must be an http or https URL without a query'],
    [['--issuer-path', 'dex'], '--issuer-path must begin with /, such as /dex, not dex'],
    [['--token-lifetime', '0s'], '--token-lifetime must be a time such as 90s or 1h30m, not 0s'],
    [['--token-lifetime', '90'], '--token-lifetime must be a time such as 90s or 1h30m, not 90'],
    [['--algorithm', 'none'], '--algorithm must be RS256 or ES256, not none'],
    [['--tls-key', 'key.pem'], '--tls-cert and --tls-key need each other'],
    [['--secret'], "Unknown option '--secret'"],
    [['serve'], "Unexpected argument 'serve'"],
  ])('%j in a sentence, with exit code 2', async (args, message) => {
    const { code, text } = await run(...args)
    expect(text).toContain(`dev-dex: ${message}`)
    expect(text).toContain('Try dev-dex --help.')
    expect(text).not.toMatch(/^\s+at /m)
    expect(code).toBe(2)
  })

  test('a port that is taken, and names the option', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    onTestFinished(() => void taken.close())
    const { port } = taken.address() as AddressInfo
    expect(await run('--port', `${port}`)).toEqual({
      code: 1,
      text: `dev-dex: port ${port} of 127.0.0.1 is taken: choose another with --port\n`,
    })
  })

  test('a certificate that cannot be read or is none', async () => {
    const missing = await run('--tls-key', '/nowhere/key.pem', '--tls-cert', script)
    expect(missing).toEqual({ code: 1, text: 'dev-dex: --tls-key /nowhere/key.pem cannot be read: ENOENT\n' })
    const wrong = await run('--tls-key', script, '--tls-cert', script)
    expect(wrong.code).toBe(1)
    expect(wrong.text).toMatch(
      /^dev-dex: --tls-cert and --tls-key are not a certificate and its key in PEM: /,
    )
  })
})

test.each(['--help', '-h'])('%s lists every option, whatever else is there', async flag => {
  const { code, text } = await run(flag)
  expect(code).toBe(0)
  for (const name of [
    'client',
    'trusted-peer',
    'user',
    'port',
    'host',
    'allow-remote',
    'issuer-path',
    'issuer',
  ])
    expect(text).toMatch(new RegExp(`^  --${name} `, 'm'))
  for (const name of ['token-lifetime', 'algorithm', 'tls-cert', 'tls-key', 'help', 'version'])
    expect(text).toMatch(new RegExp(`^  --${name}[ ,]`, 'm'))
})

test.each(['--version', '-v'])('%s prints the version of the package', async flag => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  expect(await run(flag)).toEqual({ code: 0, text: `dev-dex ${version}\n` })
})
