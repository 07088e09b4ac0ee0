import { brokerCommand } from '@broker/testing'
import { describe, expect, it } from 'vitest'
import { Command, runCommand } from '../../support/command.ts'
import { ConfigFolder } from './config-folder.ts'

const good = `clients:
  - { name: reports, clientId: reports, clientSecret: { env: REPORTS_SECRET } }
rules:
  - { name: all, when: 'true', client: reports }
`
const bad = `clients:
  - { name: reports, clientId: reports, clientSecret: hunter2 }
  - { name: billing, clientId: billing, clientSecret: { env: NOPE } }
`
const environment = { ALLOW_UNAUTHENTICATED_CALLERS: 'true', REPORTS_SECRET: 'a-very-secret-text' }

async function run(args: readonly string[], env: Readonly<Record<string, string>>) {
  await using command = runCommand(args, env)
  const { code } = await command.end()
  return { code, stdout: command.stdout, stderr: command.stderr }
}

describe('the command with CONFIG_FILE', () => {
  it('prints what is in effect with --check-config', async () => {
    using folder = new ConfigFolder(good)
    const { code, stdout, stderr } = await run(['--check-config'], {
      ...environment,
      CONFIG_FILE: folder.file,
    })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`# ${folder.file}\nclients:\n  - { name: reports,`)
    expect(stdout).toContain(`rules:\n  - { name: all, when: "true", client: reports }\n`)
    expect(stdout).not.toContain('a-very-secret-text')
  })

  it('prints every fault with --check-config and ends with 1', async () => {
    using folder = new ConfigFolder(bad)
    const { code, stdout, stderr } = await run(['--check-config'], {
      HTTP_TIMEOUT: 'x',
      CONFIG_FILE: folder.file,
    })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^HTTP_TIMEOUT: /),
      `${folder.file}:2:55: clients[0].clientSecret: holds the secret itself; name the environment variable or the file that holds it; example: clientSecret: { file: /run/secrets/reports }`,
      `${folder.file}:3:62: clients[1].clientSecret.env: the environment variable "NOPE" is not set; example: env: REPORTS_SECRET`,
    ])
  })

  it('does not start with faults, and logs each with its place', async () => {
    using folder = new ConfigFolder(bad)
    const { code, stderr } = await run([], { CONFIG_FILE: folder.file })
    expect(code).toBe(1)
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'fatal',
        file: folder.file,
        line: 2,
        column: 55,
        key: 'clients[0].clientSecret',
      }),
      expect.objectContaining({ level: 'fatal', file: folder.file, line: 3, column: 62 }),
    ])
    expect(stderr).not.toContain('hunter2')
  })

  it('loads what reads a file only when there is one', async () => {
    using folder = new ConfigFolder(good)
    const preload = `
      import { registerHooks } from 'node:module'
      registerHooks({
        load(url, context, next) {
          if (/node_modules.(?:\\.pnpm.)?(?:zod|yaml)@?/.test(url)) process.stderr.write('loaded ')
          return next(url, context)
        },
      })`
    const stderrOf = async (env: Readonly<Record<string, string>>) => {
      const hook = `data:text/javascript,${encodeURIComponent(preload)}`
      await using command = new Command(
        process.execPath,
        ['--import', hook, brokerCommand, '--check-config'],
        env,
      )
      await command.end()
      return command.stderr
    }
    expect(await stderrOf({})).toBe('')
    expect(await stderrOf({ ...environment, CONFIG_FILE: folder.file })).toContain('loaded')
  })

  it('says at start which file is in effect and how much is in it', async () => {
    using folder = new ConfigFolder(good)
    await using command = runCommand([], {
      ...environment,
      CONFIG_FILE: folder.file,
      LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: 'off',
    })
    await command.listening()
    const starting = command.stdout.split('\n').map(line => line && JSON.parse(line))[0]
    expect(starting).toMatchObject({
      msg: 'starting',
      configFile: folder.file,
      issuers: 0,
      clients: 1,
      rules: 1,
    })
  })
})
