import { writeFileSync } from 'node:fs'
import { MountedVolume } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { startDex } from '../support/start-broker.ts'
import { ReloadScene } from './reload-scene.ts'
import { startReloadingBroker } from './start-reloading-broker.ts'

const issuers =
  'issuers:\n  - { name: staff, issuer: https://idp.example.com, jwksUri: https://idp.example.com/keys, audiences: [orders] }\n'
const rules = `rules:\n  - { name: staff, when: 'caller.issuer == "staff"', client: default }\n`
const settings = 'settings:\n  HTTP_TIMEOUT: 3s\n'
const staticClient = { STATIC_CLIENT_ID: 'orders', STATIC_CLIENT_SECRET: 'orders-secret' }

function sceneOf(yaml: string) {
  const volume = new MountedVolume({ 'config.yaml': yaml })
  const file = volume.file('config.yaml')
  // The variable and the static client are those with which a broker without a gate starts.
  return { volume, file, scene: new ReloadScene({ ...staticClient, CONFIG_FILE: file }) }
}

describe('a reload never admits callers that the configuration in effect refuses', () => {
  test.each([
    ['is empty', ''],
    ['has only blanks', ' \n\n'],
    ['has only comments', '# written by a template\n'],
    ['has only its version', 'apiVersion: dex-token-broker/v1\n'],
  ])('when the file %s', async (_, text) => {
    const { volume, file, scene } = sceneOf(settings + issuers)
    using _volume = volume
    writeFileSync(file, text)
    await scene.look(4)
    expect(scene.configs).toHaveLength(1)
    expect(scene.faultLines).toEqual([
      [`${file}: is empty; write it again, or restart the broker to run without its entries`],
    ])
    await scene.reload.reloadNow()
    expect(scene.configs).toHaveLength(1)
    writeFileSync(file, settings + issuers)
    await scene.look()
    expect([scene.configs.length, scene.faults]).toEqual([1, 0])
  })

  test('when the issuers are removed', async () => {
    const { volume, file, scene } = sceneOf(settings + issuers)
    using _volume = volume
    volume.swap({ 'config.yaml': settings.replace('3s', '4s') })
    await scene.look(4)
    expect(scene.configs).toHaveLength(1)
    expect(scene.faultLines).toEqual([
      [
        `${file}: no longer has a JWT gate, and a reload does not open the broker to every caller; restore the gate, or restart the broker to run without it`,
      ],
    ])
  })

  test('when the gate is in settings', async () => {
    const gate = 'settings:\n  JWKS_URL: https://idp.example.com/keys\n  JWT_AUDIENCE: orders\n'
    const { volume, scene } = sceneOf(gate)
    using _volume = volume
    volume.swap({ 'config.yaml': settings })
    await scene.look(4)
    expect([scene.configs.length, scene.faults]).toEqual([1, 1])
  })

  test('when all rules are removed', async () => {
    const { volume, file, scene } = sceneOf(issuers + rules)
    using _volume = volume
    volume.swap({ 'config.yaml': issuers })
    await scene.look(4)
    expect(scene.configs).toHaveLength(1)
    expect(scene.faultLines).toEqual([
      [
        `${file}: no longer has rules, and a reload does not give every caller the token of the default client; restore a rule, or restart the broker to run without rules`,
      ],
    ])
  })

  test('whichever beginning of the file is read', async () => {
    const whole = settings + issuers + rules
    const { volume, file, scene } = sceneOf(whole)
    using _volume = volume
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(file, whole.slice(0, length))
      await scene.reload.reloadNow()
      const { broker } = scene.config
      expect([length, broker.issuers?.length, broker.chooseClient === undefined]).toEqual([length, 1, false])
    }
  })

  test('and another secret in the same change takes effect', async () => {
    const clients = 'clients:\n  - { name: a, clientId: a, clientSecret: { file: a } }\n'
    using volume = new MountedVolume({ 'config.yaml': issuers + clients + rules, a: 'first' })
    const scene = new ReloadScene({ ...staticClient, CONFIG_FILE: volume.file('config.yaml') })
    volume.swap({ 'config.yaml': '', a: 'second' })
    await scene.look()
    expect(scene.secretOf('a')).toBe('second')
    expect([scene.config.broker.issuers?.length, scene.faults]).toEqual([1, 1])
  })
})

test('a gate and rules can be replaced, and added', async () => {
  const { volume, scene } = sceneOf(settings)
  using _volume = volume
  volume.swap({ 'config.yaml': issuers + rules })
  await scene.look()
  volume.swap({ 'config.yaml': (issuers + rules).replaceAll('staff', 'people') })
  await scene.look()
  expect([scene.configs.length, scene.faults]).toEqual([3, 0])
})

test('a gated broker refuses callers without a JWT while its file is empty', async () => {
  await using dex = await startDex()
  using volume = new MountedVolume({ 'config.yaml': issuers })
  const env = { ...staticClient, CONFIG_FILE: volume.file('config.yaml') }
  await using broker = await startReloadingBroker(dex, env)
  expect((await broker.check()).status).toBe(401)
  writeFileSync(volume.file('config.yaml'), '')
  await broker.look()
  expect((await broker.check()).status).toBe(401)
  expect(dex.counts.tokenRequests).toBe(0)
})
