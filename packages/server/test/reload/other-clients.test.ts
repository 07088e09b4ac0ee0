import { MountedVolume } from '@broker/testing'
import { expect, test } from 'vitest'
import { bearerOf, startDex } from '../support/start-broker.ts'
import { startReloadingBroker } from './start-reloading-broker.ts'

const clients = {
  kept: 'kept-secret',
  failing: 'failing-secret',
  changed: 'changed-secret',
} as const

test('a reload that changes one client leaves the tokens, circuits and key sets of all others, counted at Dex', async () => {
  await using dex = await startDex({
    clients: Object.entries(clients).map(([id, secret]) => ({ id, secret })),
  })
  await using staff = await startDex()
  const yamlWith = (scope: string) =>
    [
      `issuers: [{ name: staff, issuer: '${staff.issuer}', audiences: [a] }]`,
      'clients:',
      ...Object.keys(clients).map(
        name =>
          `  - { name: ${name}, clientId: ${name}, clientSecret: { file: ${name} }, scope: ${name === 'changed' ? scope : 'openid'} }`,
      ),
      'rules:',
      ...Object.keys(clients).map(
        name => `  - { name: ${name}, when: 'request.headers["x-for"] == "${name}"', client: ${name} }`,
      ),
      '',
    ].join('\n')
  using volume = new MountedVolume({ ...clients, 'config.yaml': yamlWith('openid') })
  await using broker = await startReloadingBroker(dex, { CONFIG_FILE: volume.file('config.yaml') })
  const jwt = staff.userToken({ client: 'a', userID: 'jane' })
  const check = (name: keyof typeof clients) =>
    broker.check({ 'x-for': name, authorization: `Bearer ${jwt}` })
  const kept = bearerOf(await check('kept'))
  const before = bearerOf(await check('changed'))
  // A 429 opens the circuit of its client alone.
  dex.setFault('token', { kind: 'answer', status: 429, body: '', forClient: id => id === 'failing' })
  expect((await check('failing')).status).toBe(503)
  dex.clearFaults()
  dex.resetRecords()
  staff.resetRecords()

  for (const scope of ['openid email', 'openid profile']) {
    volume.swap({ ...clients, 'config.yaml': yamlWith(scope) })
    await broker.look()
    expect(bearerOf(await check('changed'))).not.toBe(before)
    expect(bearerOf(await check('kept'))).toBe(kept)
    // Dex would issue a token now, so that only a circuit that is still open refuses.
    expect((await check('failing')).status).toBe(503)
  }
  expect(broker.lines('configuration reloaded')).toHaveLength(2)
  expect(dex.tokenRequests.map(({ form }) => form['scope'])).toEqual(['openid email', 'openid profile'])
  expect(staff.counts).toMatchObject({ discoveryRequests: 0, keysRequests: 0 })
})
