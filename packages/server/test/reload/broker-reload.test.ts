import { createCertificateAuthority, MountedVolume, until } from '@broker/testing'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { bearerOf, startDex } from '../support/start-broker.ts'
import { startReloadingBroker } from './start-reloading-broker.ts'

const secrets = { orders: 'orders-secret', billing: 'billing-secret' }

/** Who asks for the host of a client gets its token. */
const yamlOf = (clients: readonly string[], more = '') =>
  `clients:\n${clients
    .map(name => `  - { name: ${name}, clientId: ${name}, clientSecret: { file: ${name} } }\n`)
    .join('')}rules:\n${clients
    .map(name => `  - { name: ${name}, when: 'request.headers["x-for"] == "${name}"', client: ${name} }\n`)
    .join('')}${more}`

const clientIn = (token: string) => decodeJwt(token).aud

describe('a reload of a running broker', () => {
  test('gives a new client its token, and keeps the tokens of the others', async () => {
    await using dex = await startDex()
    using volume = new MountedVolume({ ...secrets, 'config.yaml': yamlOf(['orders']) })
    await using broker = await startReloadingBroker(dex, { CONFIG_FILE: volume.file('config.yaml') })
    const before = bearerOf(await broker.check({ 'x-for': 'orders' }))
    expect((await broker.check({ 'x-for': 'billing' })).status).toBe(403)
    volume.swap({ ...secrets, 'config.yaml': yamlOf(['orders', 'billing']) })
    await broker.look()
    expect(clientIn(bearerOf(await broker.check({ 'x-for': 'billing' })))).toBe('billing')
    expect(bearerOf(await broker.check({ 'x-for': 'orders' }))).toBe(before)
    expect(dex.counts.tokenRequests).toBe(2)
    volume.swap({ ...secrets, 'config.yaml': yamlOf(['orders']) })
    await broker.look()
    expect((await broker.check({ 'x-for': 'billing' })).status).toBe(403)
    expect(bearerOf(await broker.check({ 'x-for': 'orders' }))).toBe(before)
    expect(dex.counts.tokenRequests).toBe(2)
  })

  test('takes another value of a setting, for checks that come then', async () => {
    await using dex = await startDex()
    using volume = new MountedVolume({ ...secrets, 'config.yaml': yamlOf(['orders']) })
    await using broker = await startReloadingBroker(dex, { CONFIG_FILE: volume.file('config.yaml') })
    bearerOf(await broker.check({ 'x-for': 'orders' }))
    const more = 'settings: { UPSTREAM_AUTH_HEADER: x-token }\n'
    volume.swap({ ...secrets, 'config.yaml': yamlOf(['orders'], more) })
    await broker.look()
    expect(bearerOf(await broker.check({ 'x-for': 'orders' }), 'x-token')).not.toBe('')
  })

  test('names the settings that need a restart once, and takes the rest', async () => {
    await using dex = await startDex()
    using volume = new MountedVolume({
      ...secrets,
      'config.yaml': yamlOf(['orders'], 'settings: { LOG_FORMAT: json }\n'),
    })
    await using broker = await startReloadingBroker(dex, { CONFIG_FILE: volume.file('config.yaml') })
    for (const level of ['INFO', 'DEBUG']) {
      const more = `settings: { LOG_FORMAT: text, LOG_LEVEL: ${level} }\n`
      volume.swap({ ...secrets, 'config.yaml': yamlOf(['orders', 'billing'], more) })
      await broker.look()
    }
    expect(
      broker.lines('changed settings take effect at the next start').map(({ settings }) => settings),
    ).toEqual([['LOG_FORMAT']])
    expect(clientIn(bearerOf(await broker.check({ 'x-for': 'billing' })))).toBe('billing')
    // The level is one of the settings that a reload takes.
    expect(broker.lines('check')).toHaveLength(1)
  })

  test('logs warnings that are new, and none again', async () => {
    await using dex = await startDex()
    using volume = new MountedVolume({ ...secrets, 'config.yaml': yamlOf(['orders']) })
    await using broker = await startReloadingBroker(dex, { CONFIG_FILE: volume.file('config.yaml') })
    const unused = '  - { name: billing, clientId: billing, clientSecret: { file: billing } }\nrules:'
    for (const end of ['', '# changed\n']) {
      volume.swap({ ...secrets, 'config.yaml': yamlOf(['orders']).replace('rules:', unused) + end })
      await broker.look()
    }
    expect(broker.lines('configuration reloaded')).toHaveLength(2)
    expect(broker.lines(`${volume.file('config.yaml')}: no rule uses the client "billing".`)).toHaveLength(1)
  })

  test('logs the expressions that fail in new rules', async () => {
    await using dex = await startDex()
    using volume = new MountedVolume({ ...secrets, 'config.yaml': yamlOf(['orders']) })
    await using broker = await startReloadingBroker(dex, { CONFIG_FILE: volume.file('config.yaml') })
    volume.swap({
      ...secrets,
      'config.yaml': yamlOf(['orders']).replace('name: orders, when', 'name: renamed, when'),
    })
    await broker.look()
    expect((await broker.check({ 'x-for': 'nobody' })).status).toBe(403)
    // The header is absent, so the expression fails.
    expect((await broker.check()).status).toBe(403)
    expect(broker.lines('the expression of a rule failed; request refused')).toEqual([
      expect.objectContaining({ rule: 'renamed' }),
    ])
  })

  test('is counted, with the time of the configuration in effect and the number of faults', async () => {
    await using dex = await startDex()
    using volume = new MountedVolume({ ...secrets, 'config.yaml': yamlOf(['orders']) })
    await using broker = await startReloadingBroker(dex, { CONFIG_FILE: volume.file('config.yaml') })
    const metric = (name: string) => broker.metric(`dex_token_broker_config_${name}`)
    const counts = async () =>
      Promise.all(
        ['applied', 'unchanged', 'failed'].map(outcome => metric(`reloads_total{outcome="${outcome}"}`)),
      )
    expect([await counts(), await metric('faults')]).toEqual([[0, 0, 0], 0])
    const startedAt = await metric('loaded_timestamp_seconds')
    expect(startedAt).toBeGreaterThan(1_700_000_000)
    volume.swap({ ...secrets, 'config.yaml': 'rules: [{}]' })
    await broker.look()
    expect([await counts(), await metric('faults')]).toEqual([[0, 0, 1], 2])
    expect(await metric('loaded_timestamp_seconds')).toBe(startedAt)
    volume.swap({ ...secrets, 'config.yaml': yamlOf(['billing']) })
    await broker.look()
    expect([await counts(), await metric('faults')]).toEqual([[1, 0, 1], 0])
    expect(await metric('loaded_timestamp_seconds')).toBeGreaterThan(startedAt)
  })
})

describe('a broker that is ready', () => {
  const issuerYaml = (...issuers: readonly { readonly name: string; readonly issuer: string }[]) =>
    `issuers:\n${issuers.map(({ name, issuer }) => `  - { name: ${name}, issuer: '${issuer}', audiences: [a] }\n`).join('')}rules: [{ name: all, when: 'true', pass: true }]\n`

  test('stays ready while it loads the keys of a new issuer', async () => {
    await using dex = await startDex()
    await using staff = await startDex()
    using volume = new MountedVolume({ 'config.yaml': issuerYaml({ name: 'dex', issuer: dex.issuer }) })
    await using broker = await startReloadingBroker(dex, { CONFIG_FILE: volume.file('config.yaml') })
    await until(async () => (await broker.admin('/readyz')).status === 200, 'the keys of the first issuer')
    staff.setFault('discovery', { kind: 'hang' })
    const both = issuerYaml({ name: 'dex', issuer: dex.issuer }, { name: 'staff', issuer: staff.issuer })
    volume.swap({ 'config.yaml': both })
    await broker.look()
    // The reload itself starts to load, without a probe.
    await until(() => staff.counts.discoveryRequests === 1, 'the request for the new issuer')
    expect((await broker.admin('/readyz')).status).toBe(200)
    expect(broker.log.filter(({ msg }) => msg.startsWith('not ready')).length).toBeLessThanOrEqual(1)
  })

  test('is not made ready by a reload when it was not', async () => {
    await using dex = await startDex()
    dex.setFault('discovery', { kind: 'hang' })
    using volume = new MountedVolume({ 'config.yaml': issuerYaml({ name: 'dex', issuer: dex.issuer }) })
    await using broker = await startReloadingBroker(dex, { CONFIG_FILE: volume.file('config.yaml') })
    expect((await broker.admin('/readyz')).status).toBe(503)
    volume.swap({ 'config.yaml': `${issuerYaml({ name: 'dex', issuer: dex.issuer })}# changed\n` })
    await broker.look()
    expect((await broker.admin('/readyz')).status).toBe(503)
  })
})

test('an issuer that did not change keeps its keys, also with certificates', async () => {
  const ca = createCertificateAuthority()
  await using dex = await startDex({ tls: ca.issue('127.0.0.1') })
  const yamlWith = (name: string) =>
    `issuers: [{ name: dex, issuer: '${dex.issuer}', audiences: [a], caFile: ca.crt }]\nrules: [{ name: ${name}, when: 'true', pass: true }]\n`
  using volume = new MountedVolume({ 'config.yaml': yamlWith('first'), 'ca.crt': ca.cert })
  await using broker = await startReloadingBroker(dex, { CONFIG_FILE: volume.file('config.yaml') })
  const jwt = dex.userToken({ client: 'a', userID: 'jane' })
  for (const name of ['first', 'second', 'third']) {
    volume.swap({ 'config.yaml': yamlWith(name), 'ca.crt': ca.cert })
    await broker.look()
    expect((await broker.check({ authorization: `Bearer ${jwt}` })).status).toBe(200)
  }
  expect(broker.lines('configuration reloaded')).toHaveLength(2)
  expect([dex.counts.discoveryRequests, dex.counts.keysRequests]).toEqual([1, 1])
})

describe('rotated certificates', () => {
  test('of Dex are trusted by the next connection, twice in a row', async () => {
    const [old, next] = [createCertificateAuthority('Old'), createCertificateAuthority('Next')]
    const dexOf = (ca: typeof old, port?: number) =>
      startDex({ tls: ca.issue('127.0.0.1'), ...(port !== undefined && { port }) })
    const first = await dexOf(old)
    using volume = new MountedVolume({ 'dex.crt': old.cert })
    await using broker = await startReloadingBroker(first, { DEX_CA_FILE: volume.file('dex.crt') })
    const orders = (scope: string) =>
      broker.check({ 'x-client-id': 'orders', 'x-client-secret': 'orders-secret', 'x-scope': scope })
    expect((await orders('openid')).status).toBe(200)
    await first.close()
    await using second = await dexOf(next, first.port)
    expect((await orders('openid email')).status).toBe(503)
    volume.swap({ 'dex.crt': old.cert + next.cert })
    await broker.look()
    await until(async () => (await orders('openid email')).status === 200, 'a token by the new certificate')
    volume.swap({ 'dex.crt': next.cert })
    await broker.look()
    expect((await orders('openid profile')).status).toBe(200)
    expect(second.counts.tokensIssued).toBe(2)
  })

  test('of an issuer are trusted for its keys', async () => {
    const [old, next] = [createCertificateAuthority('Old'), createCertificateAuthority('Next')]
    await using dex = await startDex()
    await using staff = await startDex({ tls: next.issue('127.0.0.1') })
    const yaml = `issuers: [{ name: staff, issuer: '${staff.issuer}', audiences: [a], caFile: idp.crt }]\nrules: [{ name: all, when: 'true', pass: true }]\n`
    using volume = new MountedVolume({ 'config.yaml': yaml, 'idp.crt': old.cert })
    await using broker = await startReloadingBroker(dex, { CONFIG_FILE: volume.file('config.yaml') })
    const jwt = staff.userToken({ client: 'a', userID: 'jane', email: 'jane@example.com', username: 'jane' })
    const status = async () => (await broker.check({ authorization: `Bearer ${jwt}` })).status
    expect(await status()).toBe(503)
    volume.swap({ 'config.yaml': yaml, 'idp.crt': next.cert })
    await broker.look()
    await until(async () => (await status()) === 200, 'the keys by the new certificate')
  })
})

test.each(['renamed', 'removed'])(
  'a check that waits for the keys of an issuer that is %s ends with them',
  async change => {
    const ca = createCertificateAuthority()
    await using dex = await startDex()
    await using staff = await startDex({ tls: ca.issue('127.0.0.1') })
    const entry = (name: string, { issuer }: { issuer: string }, more = '') =>
      `  - { name: ${name}, issuer: '${issuer}', audiences: [a]${more} }\n`
    const yamlWith = (...entries: readonly string[]) =>
      `issuers:\n${entries.join('')}rules: [{ name: all, when: 'true', pass: true }]\n`
    const ownDex = entry('dex', dex)
    const files = {
      'config.yaml': yamlWith(ownDex, entry('staff', staff, ', caFile: idp.crt')),
      'idp.crt': ca.cert,
    }
    // The keys need two requests, and the reload comes between them.
    staff.setFault('discovery', { kind: 'slow', delayMs: 300 })
    using volume = new MountedVolume(files)
    await using broker = await startReloadingBroker(dex, { CONFIG_FILE: volume.file('config.yaml') })
    const jwt = staff.userToken({ client: 'a', userID: 'jane', email: 'jane@example.com', username: 'jane' })
    const answer = broker.check({ authorization: `Bearer ${jwt}` })
    await until(() => staff.counts.discoveryRequests === 1, 'discovery')
    const renamed = change === 'renamed' ? [entry('people', staff, ', caFile: idp.crt')] : []
    volume.swap({ ...files, 'config.yaml': yamlWith(ownDex, ...renamed) })
    await broker.look()
    expect(staff.counts.keysRequests).toBe(0)
    expect((await answer).status).toBe(200)
  },
)
