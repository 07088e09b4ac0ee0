import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startDevDex } from '@broker/dev-dex'
import { startRealDex } from '@broker/dev-dex/real-dex'
import { createCertificateAuthority, freePort } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { afterAll, describe, expect, test } from 'vitest'
import { startDex } from '../support/start-broker.ts'
import { doctor } from './run-in-process.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'broker-doctor-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileWith(name: string, content: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, content)
  return file
}

describe("issuers of callers' JWTs", () => {
  test('each has its own group, with its own certificates, and one that fails hides no other', async () => {
    const authority = createCertificateAuthority('Staff CA')
    const deadPort = await freePort()
    await using dex = await startDex()
    await using staff = await startDex({ tls: authority.issue('127.0.0.1') })
    fileWith('staff.crt', authority.cert)
    const file = fileWith(
      'issuers.yaml',
      `issuers:
  - { name: staff, issuer: "${staff.issuer}", audiences: [shop], caFile: staff.crt }
  - { name: partner, issuer: "http://127.0.0.1:${deadPort}/idp", audiences: [shop] }
  - { name: own, issuer: "${dex.issuer}", audiences: [shop] }
clients:
  - { name: shop, clientId: orders, clientSecret: { env: SHOP_SECRET } }
rules:
  - { name: all, when: 'true', client: shop }
`,
    )
    const run = await doctor({ DEX_ISSUER: dex.issuer, CONFIG_FILE: file, SHOP_SECRET: 'orders-secret' })
    expect(run.result('TLS')).toMatchObject({ verdict: 'ok', fact: expect.stringContaining('"Staff CA"') })
    expect(run.result(`connection 127.0.0.1:${deadPort}`)).toMatchObject({
      verdict: 'failed',
      advice: expect.stringContaining('issuers.partner.issuer'),
    })
    expect(run.verdicts.filter(each => each.endsWith('discovery'))).toEqual([
      'ok discovery',
      'ok discovery',
      'skipped discovery',
    ])
    expect(run.result('token of shop').verdict).toBe('ok')
    expect(run.code).toBe(1)
  })

  test('an issuer whose CA is unknown: names its caFile', async () => {
    const authority = createCertificateAuthority('Staff CA')
    await using dex = await startDex()
    await using staff = await startDex({ tls: authority.issue('127.0.0.1') })
    fileWith('other.crt', createCertificateAuthority('Other CA').cert)
    const file = fileWith(
      'unknown.yaml',
      `issuers:
  - { name: staff, issuer: "${staff.issuer}", audiences: [shop], caFile: other.crt }
clients:
  - { name: shop, clientId: orders, clientSecret: { env: SHOP_SECRET } }
rules:
  - { name: all, when: 'true', client: shop }
`,
    )
    const { result } = await doctor({
      DEX_ISSUER: dex.issuer,
      CONFIG_FILE: file,
      SHOP_SECRET: 'orders-secret',
    })
    expect(result('TLS').advice).toBe(
      'add the certificate of the CA "Staff CA" to caFile of the issuer staff',
    )
  })

  test('a named client is tried at the Dex that it names', async () => {
    await using dex = await startDex()
    await using other = await startDevDex({ clients: [{ id: 'there', secret: 'there-secret' }] })
    const file = fileWith(
      'two.yaml',
      `issuers:
  - { name: other, issuer: "${other.issuer}", audiences: [shop] }
clients:
  - { name: there, clientId: there, clientSecret: { env: THERE_SECRET }, dex: other }
rules:
  - { name: all, when: 'true', client: there }
`,
    )
    const { code, result } = await doctor({
      DEX_ISSUER: dex.issuer,
      CONFIG_FILE: file,
      THERE_SECRET: 'there-secret',
    })
    expect(result('token of there').fact).toContain('aud there')
    expect(code).toBe(0)
    expect(other.counts.tokenRequests).toBe(2)
  })
})

/** A file whose only rule exchanges the JWTs of an identity provider. */
const ruleFile = (idp: string, connectorId: string) =>
  fileWith(
    `exchange-${connectorId}.yaml`,
    `issuers:
  - { name: staff, issuer: "${idp}", audiences: [portal] }
clients:
  - { name: reports, clientId: reports, clientSecret: { env: REPORTS_SECRET } }
rules:
  - { name: people, when: 'true', exchange: { connectorId: ${connectorId}, client: reports } }
`,
  )

describe('token exchange', () => {
  test('is tried with a made-up JWT: the connector, the client and the grant', async () => {
    await using idp = await startDevDex()
    await using dex = await startDevDex({
      clients: [{ id: 'reports', secret: 'reports-secret' }],
      connectors: [{ type: 'oidc', id: 'staff', issuer: idp.issuer }],
    })
    const run = (connectorId: string, secret: string) =>
      doctor({
        DEX_ISSUER: dex.issuer,
        CONFIG_FILE: ruleFile(idp.issuer, connectorId),
        REPORTS_SECRET: secret,
      })
    const right = await run('staff', 'reports-secret')
    expect(right.result('exchange by staff with reports')).toMatchObject({
      verdict: 'ok',
      fact: 'Dex accepts the client and the connector, and refuses a made-up JWT',
    })
    expect(right.code).toBe(0)
    // Its client needs no client_credentials grant.
    expect(right.verdicts).toContain('skipped clients')
    const noConnector = await run('nowhere', 'reports-secret')
    expect(noConnector.result('exchange by')).toMatchObject({
      verdict: 'failed',
      advice: expect.stringContaining('the connector nowhere does not exist'),
    })
    const wrongSecret = await run('staff', 'outdated')
    expect(wrongSecret.result('exchange by')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('invalid_client'),
    })
  })
})

describe('a real Dex', needs({ DEX_BIN: process.env['DEX_BIN'] !== undefined }), () => {
  const clients = [{ id: 'orders', secret: 'orders-secret', groups: ['shop'] }]
  const client = {
    STATIC_CLIENT_ID: 'orders',
    STATIC_CLIENT_SECRET: 'orders-secret',
    STATIC_SCOPE: 'groups',
    JWT_AUDIENCE: 'shop',
  }

  test('passes every check', async () => {
    await using dex = await startRealDex(process.env['DEX_BIN'] ?? '', { clients })
    const { code, text, result } = await doctor({ DEX_ISSUER: dex.issuer, ...client })
    expect(text).not.toMatch(/^failed/m)
    expect(result('token of default').fact).toContain('groups shop')
    expect(code).toBe(0)
  }, 30_000)

  test('without the grant: the token endpoint itself tells', async () => {
    await using dex = await startRealDex(process.env['DEX_BIN'] ?? '', {
      clients,
      grantTypes: ['authorization_code'],
    })
    const { code, result } = await doctor({ DEX_ISSUER: dex.issuer, ...client })
    expect(result('grant')).toMatchObject({
      verdict: 'failed',
      advice: expect.stringContaining('oauth2.grantTypes'),
    })
    expect(code).toBe(1)
  }, 30_000)

  test('tells a right exchange from a connector that does not exist', async () => {
    await using idp = await startDevDex()
    await using dex = await startRealDex(process.env['DEX_BIN'] ?? '', {
      clients: [{ id: 'reports', secret: 'reports-secret' }],
      connectors: [{ type: 'oidc', id: 'staff', issuer: idp.issuer }],
    })
    const run = (connectorId: string) =>
      doctor({
        DEX_ISSUER: dex.issuer,
        CONFIG_FILE: ruleFile(idp.issuer, connectorId),
        REPORTS_SECRET: 'reports-secret',
      })
    expect((await run('staff')).result('exchange by')).toMatchObject({
      verdict: 'ok',
      fact: expect.stringContaining('refuses a made-up JWT'),
    })
    expect((await run('nowhere')).result('exchange by')).toMatchObject({ verdict: 'failed' })
  }, 30_000)
})
