import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { startDex } from '../support/start-broker.ts'
import { runToken, TokenUser } from './run-token-command.ts'

/** The files of cached tokens. */
function tokenFiles(user: TokenUser): readonly string[] {
  return readdirSync(user.tokenFolder)
    .filter(name => name.endsWith('.token'))
    .map(name => path.join(user.tokenFolder, name))
}

const modeOf = (file: string) => statSync(file).mode & 0o777

describe('--cache', () => {
  test('serves the next call without a request, from a sealed file that nobody else can read', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    const first = await runToken(['--cache'], user.environment(dex))
    expect([first.code, first.stderr]).toEqual([0, ''])
    expect(await runToken(['--cache', '--header'], user.environment(dex))).toEqual({
      code: 0,
      stdout: `Authorization: Bearer ${first.stdout}`,
      stderr: '',
    })
    expect(dex.counts.tokenRequests).toBe(1)
    const [file = ''] = tokenFiles(user)
    expect([modeOf(user.tokenFolder), modeOf(file)]).toEqual([0o700, 0o600])
    const content = readFileSync(file).toString('latin1')
    for (const part of first.stdout.trim().split('.')) expect(content).not.toContain(part)
    expect(readdirSync(user.tokenFolder).filter(name => /lock|tmp/.test(name))).toEqual([])
  })

  test('is off without the option', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    await runToken([], user.environment(dex))
    await runToken([], user.environment(dex))
    expect(dex.counts.tokenRequests).toBe(2)
    expect(readdirSync(user.home)).toEqual([])
  })

  test('has an entry for each scope, client and secret', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    const environment = user.environment(dex)
    const tokens = new Set<string>()
    const run = async (args: readonly string[], changes: Readonly<Record<string, string>> = {}) => {
      const { code, stdout } = await runToken(['--cache', ...args], { ...environment, ...changes })
      tokens.add(stdout)
      return code
    }
    await run([])
    await run(['--scope=openid groups'])
    await run(['--audience=billing'])
    await run([], { STATIC_CLIENT_ID: 'billing', STATIC_CLIENT_SECRET: 'billing-secret' })
    expect([tokens.size, dex.counts.tokenRequests]).toEqual([4, 4])
    await run(['--scope=groups openid'])
    expect([tokens.size, dex.counts.tokenRequests]).toEqual([4, 4])
    // The token of the right secret must not be there for a wrong one.
    expect(await run([], { STATIC_CLIENT_SECRET: 'a-wrong-secret' })).toBe(3)
  })

  test('makes one request for commands that start at once, and no file is torn', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    dex.setFault('token', { kind: 'slow', delayMs: 300 })
    const runs = await Promise.all(
      Array.from({ length: 4 }, () => runToken(['--cache', '--timeout=15s'], user.environment(dex))),
    )
    expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual(Array(4).fill([0, '']))
    expect(new Set(runs.map(({ stdout }) => stdout)).size).toBe(dex.counts.tokenRequests)
    expect(dex.counts.tokenRequests).toBe(1)
  })

  test('serves no token that lives for less than --min-remaining', async () => {
    using user = new TokenUser()
    await using dex = await startDex({ idTokensMs: 600_000 })
    const { stdout: first } = await runToken(['--cache'], user.environment(dex))
    const later = { aheadMs: 400_000 }
    const run = (least: string) =>
      runToken(['--cache', `--min-remaining=${least}`], user.environment(dex), later)
    expect((await run('1m')).stdout).toBe(first)
    dex.idTokensMs = 86_400_000
    expect((await run('5m')).stdout).not.toBe(first)
    expect((await run('1h')).code).toBe(0)
    expect(dex.counts.tokenRequests).toBe(2)
    expect(tokenFiles(user)).toHaveLength(1)
  })

  test('replaces a damaged file, and says so', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    await runToken(['--cache'], user.environment(dex))
    const [file = ''] = tokenFiles(user)
    const content = readFileSync(file)
    for (const [damaged, warning] of [
      [content.subarray(0, 10), 'is damaged; removed'],
      [
        Buffer.from([...content.subarray(0, -1), (content.at(-1) ?? 0) ^ 1]),
        'does not open with its key; replaced',
      ],
    ] as const) {
      writeFileSync(file, damaged)
      const { code, stdout, stderr } = await runToken(['--cache'], user.environment(dex))
      expect(code).toBe(0)
      expect(stdout).not.toBe('')
      expect(stderr).toMatch(/^warning: [^\n]*\n$/)
      expect(stderr).toContain(warning)
    }
    expect(dex.counts.tokenRequests).toBe(3)
    expect((await runToken(['--cache'], user.environment(dex))).stderr).toBe('')
    expect(dex.counts.tokenRequests).toBe(3)
  })

  test('prints the token also when a file cannot be replaced, and says that it is not cached', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    await runToken(['--cache'], user.environment(dex))
    const [file = ''] = tokenFiles(user)
    renameSync(file, `${file}.elsewhere`)
    mkdirSync(file, { mode: 0o700 })
    const { code, stdout, stderr } = await runToken(['--cache'], user.environment(dex))
    expect(code).toBe(0)
    expect(stdout).not.toBe('')
    expect(stderr).toContain('the token is not cached')
  })

  test('uses no file that others can read, and no symbolic link', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    await runToken(['--cache'], user.environment(dex))
    const [file = ''] = tokenFiles(user)
    chmodSync(file, 0o644)
    const open = await runToken(['--cache'], user.environment(dex))
    expect(open.stderr).toContain('is open to others (mode 644)')
    expect(modeOf(file)).toBe(0o600)
    renameSync(file, `${file}.elsewhere`)
    symlinkSync(`${file}.elsewhere`, file)
    const linked = await runToken(['--cache'], user.environment(dex))
    expect(linked.stderr).toContain('is a symbolic link')
    expect([open.code, linked.code, dex.counts.tokenRequests]).toEqual([0, 0, 3])
  })

  test('stops at a folder that others can use, or that is a symbolic link, before it asks Dex', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    mkdirSync(user.tokenFolder, { recursive: true })
    chmodSync(user.tokenFolder, 0o755)
    const open = await runToken(['--cache'], user.environment(dex))
    expect(open).toMatchObject({ code: 1, stdout: '' })
    expect(open.stderr).toContain('is open to others (mode 755); run chmod 700 on it')
    renameSync(user.tokenFolder, `${user.tokenFolder}-elsewhere`)
    chmodSync(`${user.tokenFolder}-elsewhere`, 0o700)
    symlinkSync(`${user.tokenFolder}-elsewhere`, user.tokenFolder)
    const linked = await runToken(['--cache'], user.environment(dex))
    expect(linked).toMatchObject({ code: 1, stdout: '' })
    expect(linked.stderr).toContain('is a symbolic link')
    expect(dex.counts.tokenRequests).toBe(0)
  })

  test('is sealed by the key of the user, which can be rotated', async () => {
    using user = new TokenUser()
    await using dex = await startDex()
    const file = path.join(user.home, 'config/dex-token-broker/cache-key')
    mkdirSync(path.dirname(file), { recursive: true })
    const [first, second] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]
    writeFileSync(file, `${first}\n`, { mode: 0o600 })
    const { stdout } = await runToken(['--cache'], user.environment(dex))
    expect(readdirSync(user.tokenFolder)).not.toContain('key')
    writeFileSync(file, `${second}\n${first}\n`)
    expect((await runToken(['--cache'], user.environment(dex))).stdout).toBe(stdout)
    expect(dex.counts.tokenRequests).toBe(1)
    writeFileSync(file, `${second}\n`)
    await runToken(['--cache'], user.environment(dex))
    expect(dex.counts.tokenRequests).toBe(2)
    chmodSync(file, 0o640)
    const open = await runToken(['--cache'], user.environment(dex))
    expect(open).toMatchObject({ code: 1, stdout: '' })
    expect(open.stderr).toContain('is open to others (mode 640); run chmod 600 on it')
    const missing = await runToken(['--cache', '--cache-key=/nowhere/key'], user.environment(dex))
    expect(missing).toMatchObject({ code: 1, stderr: '--cache-key: "/nowhere/key" does not exist\n' })
  })
})
