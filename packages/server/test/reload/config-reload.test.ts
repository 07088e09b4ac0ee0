import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createCertificateAuthority, MountedVolume } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import type { Looked } from '../../src/reload/file-looks.ts'
import { ReloadScene } from './reload-scene.ts'

const clientsOf = (...names: readonly string[]) =>
  `clients:\n${names
    .map(name => `  - { name: ${name}, clientId: ${name}, clientSecret: { file: ${name} } }\n`)
    .join('')}rules:\n${names
    .map(name => `  - { name: ${name}, when: 'request.host == "${name}"', client: ${name} }\n`)
    .join('')}`

const twoCertificates = createCertificateAuthority('One').cert + createCertificateAuthority('Two').cert

const volumeOf = (files: Readonly<Record<string, string>>) => new MountedVolume(files)

describe('a change of a file', () => {
  test('takes effect when the volume is swapped, twice in a row', async () => {
    using volume = volumeOf({ 'config.yaml': clientsOf('reports'), reports: 'first\n' })
    const scene = new ReloadScene({ CONFIG_FILE: volume.file('config.yaml') })
    expect(scene.secretOf('reports')).toBe('first')
    volume.swap({ 'config.yaml': clientsOf('reports'), reports: 'second\n' })
    await scene.look()
    expect(scene.secretOf('reports')).toBe('second')
    volume.swap({ 'config.yaml': clientsOf('reports'), reports: 'third\n' })
    await scene.look()
    expect(scene.secretOf('reports')).toBe('third')
    expect(scene.outcomes).toEqual(['applied', 'applied'])
    expect(scene.log.map(({ msg, files }) => [msg, files])).toEqual([
      ['configuration reloaded', [volume.file('reports')]],
      ['configuration reloaded', [volume.file('reports')]],
    ])
  })

  test('takes the configuration file and a secret that it newly names from one swap', async () => {
    using volume = volumeOf({ 'config.yaml': clientsOf('reports'), reports: 'r', billing: '' })
    const scene = new ReloadScene({ CONFIG_FILE: volume.file('config.yaml') })
    volume.swap({ 'config.yaml': clientsOf('reports', 'billing'), reports: 'r', billing: 'b' })
    await scene.look()
    expect(scene.secretOf('billing')).toBe('b')
    expect(scene.config.file).toMatchObject({ clients: 2, rules: { count: 2 } })
  })

  test('waits until two looks agree, so that a half-written file is never taken', async () => {
    using volume = volumeOf({ secret: 'first' })
    const scene = new ReloadScene({ STATIC_CLIENT_ID: 'a', STATIC_CLIENT_SECRET_FILE: volume.file('secret') })
    truncateSync(volume.file('secret'))
    await scene.look(1)
    appendFileSync(volume.file('secret'), 'sec')
    await scene.look(1)
    appendFileSync(volume.file('secret'), 'ond')
    await scene.look(1)
    expect(scene.configs).toHaveLength(1)
    await scene.look(1)
    expect(scene.secretOf()).toBe('second')
    expect(scene.outcomes).toEqual(['applied'])
  })

  test('by renaming another file over it takes effect', async () => {
    using volume = volumeOf({ secret: 'first' })
    const scene = new ReloadScene({ STATIC_CLIENT_ID: 'a', STATIC_CLIENT_SECRET_FILE: volume.file('secret') })
    for (const secret of ['second', 'third']) {
      writeFileSync(volume.file('new'), secret)
      renameSync(volume.file('new'), volume.file('secret'))
      await scene.look()
      expect(scene.secretOf()).toBe(secret)
    }
  })

  test('that leaves its content as it was is none', async () => {
    using volume = volumeOf({ secret: 'first' })
    const scene = new ReloadScene({ STATIC_CLIENT_ID: 'a', STATIC_CLIENT_SECRET_FILE: volume.file('secret') })
    volume.swap({ secret: 'first' })
    await scene.look(4)
    expect([scene.configs.length, scene.outcomes, scene.log]).toEqual([1, [], []])
  })

  test('that came before the first look is noticed', async () => {
    using volume = volumeOf({ secret: 'first' })
    const scene = new ReloadScene({ STATIC_CLIENT_ID: 'a', STATIC_CLIENT_SECRET_FILE: volume.file('secret') })
    volume.swap({ secret: 'second' })
    await scene.look()
    expect(scene.secretOf()).toBe('second')
  })

  test('of certificates takes effect, of Dex as of an issuer', async () => {
    const [one, other] = [createCertificateAuthority().cert, createCertificateAuthority().cert]
    const yaml =
      'issuers: [{ name: staff, issuer: https://idp.example.com, audiences: [a], caFile: idp.crt }]\nsettings: { STATIC_CLIENT_ID: a }\n'
    using volume = volumeOf({ 'config.yaml': yaml, 'dex.crt': one, 'idp.crt': one })
    const scene = new ReloadScene({
      CONFIG_FILE: volume.file('config.yaml'),
      DEX_CA_FILE: volume.file('dex.crt'),
    })
    volume.swap({ 'config.yaml': yaml, 'dex.crt': other, 'idp.crt': one })
    await scene.look()
    expect(scene.config.ca?.certificates).toBe(other)
    volume.swap({ 'config.yaml': yaml, 'dex.crt': other, 'idp.crt': other })
    await scene.look()
    expect(scene.config.file?.issuerCertificates['staff']?.certificates).toBe(other)
  })
})

test('rules that did not change are not compiled again', async () => {
  using volume = volumeOf({ 'config.yaml': clientsOf('reports'), reports: 'first' })
  const scene = new ReloadScene({ CONFIG_FILE: volume.file('config.yaml') })
  volume.swap({ 'config.yaml': clientsOf('reports'), reports: 'second' })
  await scene.look()
  volume.swap({ 'config.yaml': clientsOf('reports').replace('"reports"', '"r"'), reports: 'second' })
  await scene.look()
  const [first, second, third] = scene.configs.map(({ file }) => file?.rules?.compiled)
  expect(second).toBe(first)
  expect(third).not.toBe(first)
})

test('a Kubernetes issuer that did not change keeps its transport', async () => {
  const yamlOf = (tokenFile: string, reason: string) =>
    `issuers: [{ name: cluster, audiences: [a], kubernetes: { tokenFile: ${tokenFile} } }]\nrules: [{ name: all, when: 'true', deny: ${reason} }]\n`
  using volume = volumeOf({ 'config.yaml': yamlOf('token', 'first') })
  const scene = new ReloadScene({ CONFIG_FILE: volume.file('config.yaml') })
  for (const yaml of [yamlOf('token', 'second'), yamlOf('other', 'second')]) {
    volume.swap({ 'config.yaml': yaml })
    await scene.look()
  }
  const [first, second, third] = scene.configs.map(({ broker }) => broker.issuers?.[0]?.transport)
  expect(second).toBe(first)
  expect(third).not.toBe(first)
})

describe('a fault', () => {
  test('in the configuration file changes nothing, and is logged once with every place', async () => {
    using volume = volumeOf({ 'config.yaml': clientsOf('reports'), reports: 'r' })
    const scene = new ReloadScene({ CONFIG_FILE: volume.file('config.yaml') })
    const bad =
      'clients:\n  - { name: reports, clientId: reports, clientSecret: { file: gone } }\n  - { nam: x }\n'
    volume.swap({ 'config.yaml': bad, reports: 'r' })
    await scene.look(6)
    expect(scene.configs).toHaveLength(1)
    expect(scene.outcomes).toEqual(['failed'])
    const file = volume.file('config.yaml')
    expect(scene.faultLines).toEqual([
      [
        expect.stringContaining(
          `${file}:2:63: clients[0].clientSecret.file: "${volume.file('gone')}" does not exist`,
        ),
        expect.stringMatching(/config\.yaml:3:5: clients\[1\]\.name/),
        expect.stringMatching(/config\.yaml:3:5: clients\[1\]\.clientId/),
        expect.stringMatching(/config\.yaml:3:5: clients\[1\]\.clientSecret/),
        expect.stringMatching(/config\.yaml:3:7: clients\[1\]\.nam/),
      ],
    ])
    expect(scene.faults).toBe(5)
    volume.swap({ 'config.yaml': clientsOf('reports'), reports: 'r' })
    await scene.look(4)
    expect([scene.configs.length, scene.outcomes, scene.faults]).toEqual([1, ['failed', 'unchanged'], 0])
  })

  test('in the configuration file holds up neither rotated secrets nor certificates', async () => {
    const ca = createCertificateAuthority().cert
    using volume = volumeOf({ 'config.yaml': clientsOf('reports'), reports: 'first', 'dex.crt': ca })
    const scene = new ReloadScene({
      CONFIG_FILE: volume.file('config.yaml'),
      DEX_CA_FILE: volume.file('dex.crt'),
    })
    volume.swap({ 'config.yaml': 'rules: [', reports: 'second', 'dex.crt': `${ca}${ca}` })
    await scene.look()
    expect([scene.secretOf('reports'), scene.outcomes, scene.faults]).toEqual([
      'second',
      ['applied', 'failed'],
      1,
    ])
    expect(scene.config.ca?.certificates).toBe(`${ca}${ca}`)
    expect(scene.config.file?.rules?.count).toBe(1)
    // The file is still faulty, and another rotation takes effect all the same.
    volume.swap({ 'config.yaml': 'rules: [', reports: 'third', 'dex.crt': ca })
    await scene.look()
    expect(scene.secretOf('reports')).toBe('third')
  })

  test.each([
    ['an empty secret', 'reports', '', 'is empty'],
    ['a secret with a control character', 'reports', 'a\u0007b', 'contains a control character'],
    ['a secret that is not UTF-8', 'reports', undefined, 'is not UTF-8'],
    ['certificates that are none', 'dex.crt', 'not a certificate', 'holds no PEM certificate'],
    ['no certificates', 'dex.crt', '', 'holds no PEM certificate'],
    [
      'certificates that are cut off',
      'dex.crt',
      `${twoCertificates.slice(0, -30)}`,
      'holds a certificate without its END line',
    ],
  ])(
    'of %s keeps the last good content, and everything else takes effect',
    async (_, name, text, problem) => {
      const good = { reports: 'first', 'dex.crt': createCertificateAuthority().cert, billing: 'b' }
      using volume = volumeOf({ ...good, 'config.yaml': clientsOf('reports') })
      const scene = new ReloadScene({
        CONFIG_FILE: volume.file('config.yaml'),
        DEX_CA_FILE: volume.file('dex.crt'),
      })
      const config = clientsOf('reports', 'billing')
      volume.swap({ ...good, 'config.yaml': config, [name]: text ?? '' })
      if (text === undefined) writeFileSync(volume.file(name), Buffer.from([0xff, 0xfe, 0xfd]))
      await scene.look()
      expect([scene.secretOf('reports'), scene.secretOf('billing')]).toEqual(['first', 'b'])
      expect(scene.config.ca?.certificates).toBe(good['dex.crt'])
      expect(scene.faultLines).toEqual([[expect.stringContaining(`${volume.file(name)}" ${problem}`)]])
      expect(scene.outcomes).toEqual(['applied', 'failed'])
    },
  )

  test.each(['config.yaml', 'reports'])(
    'of a removed %s keeps what it held, until it is back',
    async name => {
      const files = { 'config.yaml': clientsOf('reports'), reports: 'first' }
      using volume = volumeOf(files)
      const scene = new ReloadScene({ CONFIG_FILE: volume.file('config.yaml') })
      rmSync(volume.file(name))
      await scene.look(4)
      expect(scene.faultLines).toEqual([[`"${volume.file(name)}" does not exist`]])
      expect(scene.configs).toHaveLength(1)
      writeFileSync(
        volume.file(name),
        name === 'reports' ? 'second' : clientsOf('reports').replace('"reports"', '"x"'),
      )
      await scene.look()
      expect([scene.configs.length, scene.outcomes, scene.faults]).toEqual([2, ['failed', 'applied'], 0])
    },
  )

  test('of a secret that a new client still lacks ends when the file appears', async () => {
    using volume = volumeOf({ 'config.yaml': clientsOf('reports'), reports: 'r' })
    const scene = new ReloadScene({ CONFIG_FILE: volume.file('config.yaml') })
    volume.swap({ 'config.yaml': clientsOf('reports', 'billing'), reports: 'r' })
    await scene.look(4)
    expect([scene.outcomes, scene.configs.length]).toEqual([['failed'], 1])
    writeFileSync(volume.file('billing'), 'b')
    await scene.look()
    expect([scene.secretOf('billing'), scene.outcomes, scene.faults]).toEqual(['b', ['failed', 'applied'], 0])
  })

  test('never shows a secret', async () => {
    using volume = volumeOf({ 'config.yaml': clientsOf('reports'), reports: 'hunter2' })
    const scene = new ReloadScene({ CONFIG_FILE: volume.file('config.yaml') })
    volume.swap({ 'config.yaml': 'clients: [{ clientSecret: hunter2 }]', reports: 'hunter2\u0000' })
    await scene.look()
    expect(scene.faultLines).toHaveLength(1)
    expect(JSON.stringify(scene.log)).not.toContain('hunter2')
  })

  test('that the server finds changes nothing, and the next content is tried again', async () => {
    using volume = volumeOf({ secret: 'first' })
    const scene = new ReloadScene({ STATIC_CLIENT_ID: 'a', STATIC_CLIENT_SECRET_FILE: volume.file('secret') })
    const refusing = scene.refuseOnce('client.clientId is wrong')
    volume.swap({ secret: 'second' })
    await scene.look(4)
    expect(refusing.count).toBe(1)
    expect(scene.faultLines).toEqual([['TypeError: client.clientId is wrong']])
    volume.swap({ secret: 'third' })
    await scene.look()
    expect(scene.secretOf()).toBe('third')
  })
})

describe('a reload on demand', () => {
  test('takes the files as they are, without a second look', async () => {
    using volume = volumeOf({ secret: 'first' })
    const scene = new ReloadScene({ STATIC_CLIENT_ID: 'a', STATIC_CLIENT_SECRET_FILE: volume.file('secret') })
    volume.swap({ secret: 'second' })
    await scene.reload.reloadNow()
    expect(scene.secretOf()).toBe('second')
  })

  test('says that nothing has changed, also without any file', async () => {
    const scene = new ReloadScene({})
    await scene.reload.reloadNow()
    expect([scene.configs.length, scene.outcomes]).toEqual([1, ['unchanged']])
    expect(scene.log.map(({ msg }) => msg)).toEqual(['configuration unchanged'])
  })

  test('logs a fault each time that it is asked for', async () => {
    using volume = volumeOf({ secret: 'first' })
    const scene = new ReloadScene({ STATIC_CLIENT_ID: 'a', STATIC_CLIENT_SECRET_FILE: volume.file('secret') })
    volume.swap({ secret: '' })
    await scene.reload.reloadNow()
    await scene.reload.reloadNow()
    expect(scene.outcomes).toEqual(['failed', 'failed'])
  })

  test('takes nothing after the end', async () => {
    using volume = volumeOf({ secret: 'first' })
    const scene = new ReloadScene({ STATIC_CLIENT_ID: 'a', STATIC_CLIENT_SECRET_FILE: volume.file('secret') })
    volume.swap({ secret: 'second' })
    scene.reload.close()
    await scene.reload.reloadNow()
    expect(scene.configs).toHaveLength(1)
  })
})

describe('a file that does not come to rest', () => {
  test('holds up the other files for five looks, is logged once, and is read when it stops', async () => {
    using volume = volumeOf({ 'config.yaml': clientsOf('reports', 'billing'), reports: 'r', billing: 'b' })
    const scene = new ReloadScene({ CONFIG_FILE: volume.file('config.yaml') })
    await scene.look()
    writeFileSync(volume.file('reports'), 'rotated')
    for (let look = 1; look <= 20; look++) {
      writeFileSync(volume.file('billing'), `b${look}`)
      await scene.look(1)
      expect([look, scene.secretOf('reports')]).toEqual([look, look < 5 ? 'r' : 'rotated'])
      expect(scene.secretOf('billing')).toBe('b')
    }
    expect(scene.faultLines).toEqual([
      [`"${volume.file('billing')}" keeps changing; it is used when it stops`],
    ])
    expect(scene.faults).toBe(1)
    await scene.look()
    expect([scene.secretOf('billing'), scene.faults]).toEqual(['b20', 0])
  })

  test('is logged once when reading it does not end, and other looks do not pile up', async () => {
    let looks = 0
    let end = () => {}
    const hanging = new Promise<Looked>(resolve => {
      end = () => resolve({ contents: new Map(), unsettled: [] })
    })
    const look = () => {
      looks++
      return hanging
    }
    const scene = new ReloadScene({}, { underWay: '/run/secrets/reports', look })
    void scene.reload.lookInTurn()
    for (let look = 0; look < 20; look++) await scene.reload.lookInTurn()
    expect(looks).toBe(1)
    expect(scene.faultLines).toEqual([
      ['"/run/secrets/reports" is still being read; no change of any file takes effect until that ends'],
    ])
    expect(scene.faults).toBe(1)
    end()
    await scene.look(1)
    expect(scene.faults).toBe(0)
  })
})
