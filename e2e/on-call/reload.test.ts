import { writeFileSync } from 'node:fs'
import {
  type BrokerProcess,
  createCertificateAuthority,
  MountedVolume,
  startBroker,
  until,
} from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { expectProblem, viewOf } from './on-call-view.ts'

const files = {
  secret: 'reports-secret',
  'config.yaml': 'clients: [{ name: reports, clientId: reports, clientSecret: { file: secret } }]\n',
}

/** A broker that has read a changed file, and its log. */
async function afterChange(changed: Partial<typeof files>, check: (broker: BrokerProcess) => Promise<void>) {
  using volume = new MountedVolume(files)
  await using broker = await startBroker({ CONFIG_FILE: volume.file('config.yaml') })
  volume.swap({ ...files, ...changed })
  broker.process.signal('SIGHUP')
  await until(async () => (await broker.metric('dex_token_broker_config_reloads_total')) > 0, 'the reload')
  await check(broker)
}

/** The page says that the last good content stays in effect, and why. */
function expectFaultyFiles(broker: BrokerProcess, fault: RegExp): Promise<void> {
  return expectProblem(viewOf(broker, {}), {
    kind: 'configuration-faulty',
    severity: 'warning',
    summary: new RegExp(
      `^The configuration files have 1 fault; their last good content stays in effect: .*${fault.source}`,
    ),
    action: 'correct the files; dex-token-broker --check-config lists every fault',
  })
}

describe('a change of the configuration', () => {
  test('The changed configuration file has a fault', async () => {
    await afterChange({ 'config.yaml': `${files['config.yaml']}rule: []\n` }, async broker => {
      expect(broker.process.log).toMatch(/configuration files have faults/)
      expect(broker.process.log).toMatch(/config\.yaml:2:1: rule: /)
      expect(await broker.metric('dex_token_broker_config_faults')).toBe(1)
      expect(await broker.metric('dex_token_broker_config_reloads_total{outcome="failed"}')).toBe(1)
      await expectFaultyFiles(broker, /config\.yaml:2:1: rule: is not a known key; did you mean rules\?/)
    })
  })

  test('A rotated secret file is empty', async () => {
    await afterChange({ secret: '' }, async broker => {
      expect(broker.process.log).toMatch(/configuration files have faults/)
      expect(broker.process.log).toMatch(/secret\\" is empty/)
      expect(await broker.metric('dex_token_broker_config_faults')).toBe(1)
      await expectFaultyFiles(broker, /secret" is empty/)
    })
  })

  test('A rotated certificate and its key do not belong together', async () => {
    const authority = createCertificateAuthority()
    const [first, next] = [authority.issue('broker'), authority.issue('broker')]
    using volume = new MountedVolume({ ...first })
    await using broker = await startBroker({
      TLS_CERT_FILE: volume.file('cert'),
      TLS_KEY_FILE: volume.file('key'),
    })
    volume.swap({ ...first, cert: next.cert })
    broker.process.signal('SIGHUP')
    await broker.process.until('the line', () =>
      broker.process.log.includes('is not the key of the certificate'),
    )
    await until(async () => (await broker.metric('dex_token_broker_config_faults')) === 1, 'the metric')
    await expectFaultyFiles(broker, /is not the key of the certificate in .*; write both files of one pair/)
  })

  test('A template rendered nothing, or the gate or all rules were removed; a reload never does that', async () => {
    await afterChange({ 'config.yaml': '' }, async broker => {
      expect(broker.process.log).toMatch(/config\.yaml[^}]* is empty/)
      expect(await broker.metric('dex_token_broker_config_faults')).toBe(1)
      await expectFaultyFiles(broker, /config\.yaml: is empty; write it again/)
    })
  })

  test('Something rewrites the file all the time, or its volume hangs', async () => {
    using volume = new MountedVolume(files)
    await using broker = await startBroker({ CONFIG_FILE: volume.file('config.yaml') })
    let comments = ''
    // No two looks of the broker see the same text.
    await until(
      () => {
        comments += '#'
        writeFileSync(volume.file('config.yaml'), `${comments}\n${files['config.yaml']}`)
        return broker.process.log.includes('keeps changing')
      },
      'a line about the file',
      30_000,
    )
    expect(await broker.metric('dex_token_broker_config_faults')).toBe(1)
    await expectFaultyFiles(broker, /keeps changing; it is used when it stops/)
  }, 40_000)

  test('The configuration file changes a setting that needs a restart', async () => {
    const changed = `${files['config.yaml']}settings: { SHUTDOWN_TIMEOUT: 1s, LOG_FORMAT: text }\n`
    await afterChange({ 'config.yaml': changed }, async broker => {
      expect(broker.process.log).toContain('changed settings take effect at the next start')
      expect(broker.process.log).toContain('"settings":["LOG_FORMAT"]')
      expect(await broker.metric('dex_token_broker_config_reloads_total{outcome="applied"}')).toBe(1)
    })
  })
})
