import { writeFileSync } from 'node:fs'
import { ask, brokerCommand, MountedVolume, until } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { Command, runCommand } from '../support/command.ts'
import { startDex } from '../support/start-broker.ts'

const addresses = {
  LISTEN_ADDR: '127.0.0.1:0',
  ADMIN_ADDR: '127.0.0.1:0',
  ALLOW_UNAUTHENTICATED_CALLERS: 'true',
}
const yaml = (reason: string) => `rules: [{ name: all, when: 'true', deny: ${reason} }]\n`

describe('the command', () => {
  test('reads its files again at SIGHUP', async () => {
    using volume = new MountedVolume({ 'config.yaml': yaml('first') })
    await using command = runCommand([], { ...addresses, CONFIG_FILE: volume.file('config.yaml') })
    const { port, adminPort = 0 } = await command.listening()
    const denial = async () => (await ask(port)).body
    expect(await denial()).toContain('first')
    volume.swap({ 'config.yaml': yaml('second') })
    command.kill('SIGHUP')
    await until(() => command.stdout.includes('configuration reloaded'), 'the log')
    expect(await denial()).toContain('second')
    command.kill('SIGHUP')
    await until(() => command.stdout.includes('configuration unchanged'), 'the log')
    const { body } = await ask(adminPort, { target: '/metrics' })
    expect(body).toContain('dex_token_broker_config_reloads_total{outcome="applied"} 1')
    expect(body).toContain('dex_token_broker_config_reloads_total{outcome="unchanged"} 1')
  })

  test('runs with what it had when the file is faulty at SIGHUP', async () => {
    using volume = new MountedVolume({ 'config.yaml': yaml('first') })
    await using command = runCommand([], { ...addresses, CONFIG_FILE: volume.file('config.yaml') })
    const { port } = await command.listening()
    volume.swap({ 'config.yaml': `${yaml('second')}nonsense: 1\n` })
    command.kill('SIGHUP')
    await until(() => command.stdout.includes('have faults'), 'the log')
    expect(command.stdout).toContain(`${volume.file('config.yaml')}:2:1: nonsense`)
    expect((await ask(port)).body).toContain('first')
  })

  test('notices a rotated secret by itself, and loads nothing of configuration files for that', async () => {
    await using dex = await startDex()
    using volume = new MountedVolume({ secret: 'wrong' })
    const preload = `
      import { registerHooks } from 'node:module'
      registerHooks({
        load(url, context, next) {
          if (/node_modules.(?:\\.pnpm.)?(?:zod|yaml|@marcbachmann.cel)/.test(url)) process.stderr.write('loaded ')
          return next(url, context)
        },
      })`
    const hook = `data:text/javascript,${encodeURIComponent(preload)}`
    await using command = new Command(process.execPath, ['--import', hook, brokerCommand], {
      ...addresses,
      DEX_TOKEN_URL: dex.tokenEndpoint,
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET_FILE: volume.file('secret'),
    })
    const { port } = await command.listening()
    expect((await ask(port)).status).toBe(502)
    volume.swap({ secret: 'orders-secret\n' })
    await until(() => command.stdout.includes('configuration reloaded'), 'the log', 10_000)
    await until(async () => (await ask(port)).status === 200, 'a token by the new secret')
    writeFileSync(volume.file('secret'), '')
    command.kill('SIGHUP')
    await until(() => command.stdout.includes('have faults'), 'the log')
    expect((await ask(port)).status).toBe(200)
    expect(command.stderr).toBe('')
  })

  test('stops at once with the watch on its files', async () => {
    using volume = new MountedVolume({ secret: 's' })
    await using command = runCommand([], {
      ...addresses,
      STATIC_CLIENT_SECRET_FILE: volume.file('secret'),
      STATIC_CLIENT_ID: 'orders',
    })
    await command.listening()
    command.kill('SIGTERM')
    expect(await command.end(3_000)).toEqual({ code: 0, signal: null })
  })
})
