import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { type DevDex, startDevDex } from '@broker/dev-dex'
import { findBinary, startRecordingServer, terraformHelper } from '@broker/testing'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { helperArguments } from '../../src/terraform/helper-arguments.ts'
import { Command } from '../support/command.ts'
import { type HelperOptions, runHelper } from './support/run-helper.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'terraform-helper-'))
const inFolder = (name: string) => path.join(folder, name)
const secret = 'the-secret-of-ci'
/** The helper itself ends within ten seconds; the rest is for a busy machine. */
const patienceMs = 30_000

let dex: DevDex
beforeAll(async () => {
  const groups = ['deployers']
  dex = await startDevDex({
    clients: [
      { id: 'ci', secret, groups },
      { id: 'opendepot', secret: 'other', trustedPeers: ['ci'] },
    ],
  })
  writeFileSync(inFolder('ci-secret'), secret)
  writeFileSync(
    inFolder('broker.yaml'),
    `settings: { DEX_ISSUER: '${dex.issuer}', ALLOW_INSECURE_DEX_URL: true }
clients:
  - { name: ci, clientId: ci, clientSecret: { file: ci-secret } }
`,
  )
  writeFileSync(
    inFolder('hosts.yaml'),
    `hosts:
  Registry.example.com: { client: ci, scope: groups, audiences: [opendepot] }
  hurried.example.com: { client: ci, minRemaining: 10s }
  patient.example.com: { client: ci, minRemaining: 20h }
  default.example.com: {}
  lost.example.com: { client: cj }
`,
  )
})
beforeEach(() => {
  dex.resetRecords()
  dex.clearFaults()
  dex.idTokensMs = 86_400_000
})
afterAll(async () => {
  await dex.close()
  rmSync(folder, { recursive: true })
})

const files = () => [`--hosts=${inFolder('hosts.yaml')}`, `--config=${inFolder('broker.yaml')}`]
const get = (host: string, options: HelperOptions = {}) => runHelper([...files(), 'get', host], options)

describe('get', () => {
  test('prints a token that Dex has signed for the audience of the host, and nothing else', async () => {
    const { code, stdout, stderr } = await get('registry.example.com')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const answer = JSON.parse(stdout)
    expect(Object.keys(answer)).toEqual(['token'])
    const keys = createRemoteJWKSet(new URL(dex.jwksUri))
    const { payload } = await jwtVerify(answer.token, keys, { issuer: dex.issuer, audience: 'opendepot' })
    expect(payload['groups']).toEqual(['deployers'])
    expect(dex.counts.tokenRequests).toBe(1)
  })

  test('needs no configuration for a host that is not listed', async () => {
    const run = await runHelper([`--hosts=${inFolder('hosts.yaml')}`, 'get', 'registry.opentofu.org'])
    expect(run).toMatchObject({ code: 0, stdout: '{}\n', stderr: '' })
  })

  test('takes the hosts from the folder of the user, and the default client from the environment', async () => {
    const home = mkdtempSync(path.join(folder, 'home-'))
    execFileSync('mkdir', ['-p', path.join(home, '.config/dex-token-broker')])
    writeFileSync(
      path.join(home, '.config/dex-token-broker/terraform.yaml'),
      'hosts: { registry.example.com: {} }',
    )
    const env = {
      HOME: home,
      DEX_ISSUER: dex.issuer,
      ALLOW_INSECURE_DEX_URL: 'true',
      STATIC_CLIENT_ID: 'ci',
      STATIC_CLIENT_SECRET: secret,
    }
    const { code, stdout } = await runHelper(['get', 'registry.example.com'], { env })
    expect([code, stdout]).toEqual([0, expect.stringContaining('"token"')])
  })

  test('works by a symbolic link in the folder of plugins', async () => {
    const script = inFolder('terraform-credentials-dex')
    symlinkSync(terraformHelper, script)
    expect(await get('registry.example.com', { script })).toMatchObject({ code: 0, stderr: '' })
  })

  test('refuses a token that lives for less than minRemaining', async () => {
    dex.idTokensMs = 30_000
    const short = await get('registry.example.com')
    expect(short).toMatchObject({ code: 3, stdout: '' })
    expect(short.stderr).toMatch(
      /the token of Dex expires in (29|30|28)s, earlier than minRemaining allows: 1m/,
    )
    expect(await get('hurried.example.com')).toMatchObject({ code: 0, stderr: '' })
    dex.idTokensMs = 3_600_000
    expect(await get('patient.example.com')).toMatchObject({ code: 3, stdout: '' })
  })
})

describe('get without a token', () => {
  test('says why on standard error, and appends it to the log file, which only its user can read', async () => {
    const log = inFolder('helper.log')
    const dead = { env: { DEX_ISSUER: 'http://127.0.0.1:1/dex' } }
    const args = [`--log-file=${log}`, ...files(), 'get', 'registry.example.com']
    for (const _ of [1, 2]) {
      const { code, stdout, stderr } = await runHelper(args, dead)
      expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
      expect(stderr).toContain(
        'terraform-credentials-dex: get registry.example.com: the issuer is unavailable',
      )
      expect(stderr).toContain('check that Dex is running')
    }
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    expect(lines.filter(line => line.includes('the issuer is unavailable'))).toHaveLength(2)
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z terraform-credentials-dex: /)
    expect(statSync(log).mode & 0o777).toBe(0o600)
  })

  test('says that the log file cannot be written, too', async () => {
    const { code, stderr } = await runHelper([
      '--log-file=/dev/null/log',
      ...files(),
      'get',
      'lost.example.com',
    ])
    expect(code).toBe(1)
    expect(stderr).toContain('which the configuration does not have; did you mean "ci"?')
    expect(stderr).toContain('cannot write to /dev/null/log (ENOTDIR)')
  })

  test('never shows the secret that Dex refuses', async () => {
    dex.setClientSecret('ci', 'another-secret')
    const { code, stdout, stderr } = await get('registry.example.com')
    dex.setClientSecret('ci', secret)
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toMatch(/^terraform-credentials-dex: get registry\.example\.com: .*invalid_client/)
    expect(stderr).not.toContain(secret)
  })

  test('names the clients when a host has none, and there is no default client', async () => {
    const { code, stderr } = await get('default.example.com')
    expect(code).toBe(1)
    expect(stderr).toContain('there is no default client')
    expect(stderr).toContain(': ci\n')
  })

  test('asks for the configuration file when a host names a client and there is none', async () => {
    const { code, stderr } = await runHelper([
      `--hosts=${inFolder('hosts.yaml')}`,
      'get',
      'registry.example.com',
    ])
    expect(code).toBe(1)
    expect(stderr).toContain('names the client "ci", but there is no configuration file')
    expect(stderr).toContain('set --config or CONFIG_FILE')
  })

  test('names the hosts file when Dex rejects an audience that is there', async () => {
    const hosts = inFolder('unknown-audience.yaml')
    writeFileSync(hosts, 'hosts: { registry.example.com: { client: ci, audiences: [nobody] } }')
    const { code, stderr } = await runHelper([
      `--hosts=${hosts}`,
      `--config=${inFolder('broker.yaml')}`,
      'get',
      'registry.example.com',
    ])
    expect(code).toBe(3)
    expect(stderr).toContain(`trustedPeers of each peer in audiences in ${hosts}: Dex rejected an audience`)
  })

  test('says what is wrong with the hosts file, or that there is none', async () => {
    const missing = await runHelper([`--hosts=${inFolder('none.yaml')}`, 'get', 'registry.example.com'])
    expect(missing.stderr).toContain('none.yaml" does not exist')
    expect(missing.stderr).toContain('create it, or name another with --hosts')
    expect(missing).toMatchObject({ code: 1, stdout: '' })
    writeFileSync(inFolder('bad.yaml'), 'hosts:\n  registry.example.com: { clients: ci }\n')
    const bad = await runHelper([`--hosts=${inFolder('bad.yaml')}`, 'get', 'registry.example.com'])
    expect(bad.stderr).toContain(
      'bad.yaml:2:27: hosts["registry.example.com"].clients: is not a known key; did you mean client?',
    )
  })

  test.skipIf(findBinary(undefined, 'script') === undefined)(
    'is told at the terminal, although standard error is hidden',
    async () => {
      const command = [
        process.execPath,
        terraformHelper,
        ...files(),
        'get',
        'lost.example.com',
        '2>/dev/null',
      ]
      const shown = execFileSync('script', ['-qc', command.join(' '), '/dev/null'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      expect(shown).toContain('get lost.example.com: ')
    },
  )
})

describe('what hangs', () => {
  test(
    'Dex: the helper says so, and ends',
    async () => {
      await using silent = await startRecordingServer(() => {})
      const env = { DEX_ISSUER: `${silent.url}/dex`, HTTP_TIMEOUT: '60s' }
      const { code, stderr } = await get('registry.example.com', { env })
      expect(code).toBe(4)
      expect(stderr).toContain('the issuer timed out')
    },
    patienceMs,
  )

  test(
    'a thread of Node that resolves a name: the helper does not wait for it',
    async () => {
      const pipe = inFolder('pipe')
      execFileSync('mkfifo', [pipe])
      // Opening a pipe without a writer keeps a thread, as a resolver does that never answers.
      const before = `import fs from 'node:fs'; fs.open(${JSON.stringify(pipe)}, 'r', () => {})`
      const run = await get('lost.example.com', { before })
      expect(run).toMatchObject({ signal: 'SIGKILL', stdout: '' })
      expect(run.stderr).toContain('which the configuration does not have')
    },
    patienceMs,
  )

  test(
    'a file system: another thread says so, and ends the process',
    async () => {
      const before = `
        import fs from 'node:fs'
        import { syncBuiltinESMExports } from 'node:module'
        const { statSync } = fs
        // real time: a system call that blocks the main thread for ever.
        const wait = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
        fs.statSync = (file, ...rest) => (file === '/hangs' ? wait() : statSync(file, ...rest))
        syncBuiltinESMExports()`
      const run = await runHelper(['--hosts=/hangs', 'get', 'registry.example.com'], { before })
      expect(run).toMatchObject({ signal: 'SIGKILL', stdout: '' })
      expect(run.stderr).toContain('get registry.example.com: gave up after 8 s; it was still reading /hangs')
    },
    patienceMs,
  )

  test(
    'standard input of store: the helper says so, and ends',
    async () => {
      const run = await runHelper(['store', 'registry.example.com'], { input: 'never ends' })
      expect(run).toMatchObject({ code: 4, stdout: '' })
      expect(run.stderr).toContain('gave up after 7 s; it was still reading standard input')
    },
    patienceMs,
  )
})

describe('the other verbs', () => {
  test('store reads all of its input, fails with a sentence, and does not repeat the token', async () => {
    const token = 'x'.repeat(1_000_000)
    const run = await runHelper(['store', 'registry.example.com'], { input: JSON.stringify({ token }) })
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toMatch(
      /^terraform-credentials-dex: store registry\.example\.com: tokens come from Dex/,
    )
    expect(run.stderr).not.toContain('xxx')
  })

  test('store has its exit status with /dev/null as input, too, whose file is still being closed', async () => {
    const run = await runHelper(['store', 'registry.example.com'], { input: 'no input' })
    expect(run).toMatchObject({ code: 2, signal: null, stdout: '' })
    expect(run.stderr).toContain('list the host in the hosts file instead')
  })

  test('forget succeeds without a word: nothing is stored', async () => {
    for (const host of ['registry.example.com', 'example.com'])
      expect(await runHelper(['forget', host])).toEqual({ code: 0, signal: null, stdout: '', stderr: '' })
  })

  test('a verb of a later protocol is a sentence on standard error', async () => {
    const { code, stdout, stderr } = await runHelper(['list', 'registry.example.com'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('does not support "list", only get, store, forget')
  })

  test.each([
    [['get'], 'get needs one host'],
    [['get', 'a.example.com', 'b.example.com'], 'get needs one host'],
    [[], 'it needs a verb and a host'],
    [['--profile=ci', 'get', 'a.example.com'], "Unknown option '--profile'"],
    [['--hosts=', 'get', 'a.example.com'], '--hosts needs a file'],
  ])('%j is refused with a sentence', (args, sentence) => {
    expect(() => helperArguments(args, {})).toThrow(sentence)
  })

  test('a path may begin with ~/, because no shell expands it', () => {
    const args = ['--hosts=~/hosts.yaml', 'get', 'a.example.com']
    expect(helperArguments(args, {})).toMatchObject({
      hostsFile: path.join(userInfo().homedir, 'hosts.yaml'),
    })
    expect(helperArguments(args, { HOME: '/home/ci' })).toMatchObject({ hostsFile: '/home/ci/hosts.yaml' })
  })

  test('a user without a home folder is a sentence, and needs none for files that are named whole', async () => {
    const withoutAccount = `
      const os = process.getBuiltinModule('node:os')
      os.userInfo = os.homedir = () => { throw new Error('no account') }
      process.getBuiltinModule('node:module').syncBuiltinESMExports()`
    const lost = await runHelper(['get', 'registry.example.com'], { before: withoutAccount })
    expect(lost).toMatchObject({ code: 1, stdout: '' })
    expect(lost.stderr).toBe(
      'terraform-credentials-dex: arguments: the user has no home folder; set HOME to an absolute path\n',
    )
    expect((await get('registry.example.com', { before: withoutAccount })).code).toBe(0)
    expect((await runHelper(['--help'], { before: withoutAccount })).code).toBe(0)
  })

  test('a host cannot drive the terminal, or begin a line of the log', async () => {
    const { stderr } = await runHelper(['--hosts=/nowhere', 'get', 'a.example.com\u001b[31m\nforged'])
    const line = 'terraform-credentials-dex: get a.example.com [31m forged: '
    expect(stderr.split('\n')).toEqual([
      `${line}the hosts file "/nowhere" does not exist`,
      `${line}create it, or name another with --hosts`,
      '',
    ])
  })

  test.skipIf(process.platform !== 'linux')('an output that cannot be written is a sentence', async () => {
    const command = 'exec "$0" "$@" > /dev/full'
    for (const args of [['--help'], [...files(), 'get', 'registry.example.com']]) {
      await using full = new Command(
        '/bin/sh',
        ['-c', command, process.execPath, terraformHelper, ...args],
        {},
      )
      expect((await full.end(patienceMs)).code).toBe(1)
      expect(full.stderr).toMatch(
        /^terraform-credentials-dex: .*: cannot write to standard output \(ENOSPC\)\n$/,
      )
    }
  })

  test('--help and --version answer on standard output', async () => {
    expect((await runHelper(['--help'])).stdout).toMatch(/^Usage: terraform-credentials-dex /)
    expect((await runHelper(['--version'])).stdout).toMatch(/^terraform-credentials-dex \d/)
  })
})
