import { type DevDex, startDevDex } from '@broker/dev-dex'
import { ask, createCertificateAuthority, MountedVolume, redisNeed, startRedis } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { createLogger } from '../../src/create-logger.ts'
import { startServer } from '../../src/start-server.ts'
import { ConfigFolder } from '../config/file/config-folder.ts'
import { StoreVolume, sealingKey } from '../shared-store/store-volume.ts'
import { getOverTls, tablesIn } from './read-page.ts'
import { silence } from './start-page.ts'

const authority = createCertificateAuthority()

/** Columns that are blank while key sets can be refreshed and no circuit is open. */
const blankHere = ['key-sets: Failing', 'circuits: Next probe']

function configurationFile(staff: DevDex): string {
  return `
issuers:
  - { name: staff, issuer: ${staff.issuer}, audiences: [web] }
clients:
  - { name: reports, clientId: reports, clientSecret: { env: REPORTS_SECRET }, scope: openid email }
  - { name: stale, clientId: stale, clientSecret: { env: STALE_SECRET } }
  - { name: late, clientId: late, clientSecret: { env: LATE_SECRET } }
rules:
  - { name: exchanged, when: 'request.path == "/exchange"', exchange: { connectorId: staff, client: reports, scope: openid } }
  - { name: stale, when: 'request.path == "/stale"', client: stale }
  - { name: late, when: 'request.path == "/late"', client: late }
  - { name: others, when: 'true', client: reports }
`
}

describe('a broker with everything configured', needs(redisNeed()), () => {
  test('fills every section of its page, and every column', async () => {
    await using staff = await startDevDex()
    await using dex = await startDevDex({
      connectors: [{ id: 'staff', type: 'oidc', issuer: staff.issuer, insecureEnableGroups: true }],
      clients: [
        { id: 'reports', secret: 'reports-secret' },
        { id: 'stale', secret: 'rotated' },
        { id: 'late', secret: 'late-secret' },
      ],
    })
    await using redis = await startRedis()
    using volume = new StoreVolume([sealingKey()])
    const { cert, key } = authority.issue('localhost')
    using certificates = new MountedVolume({ 'tls.crt': cert, 'tls.key': key })
    using folder = new ConfigFolder(configurationFile(staff))
    const pair = (name: string) => ({
      [`${name}CERT_FILE`]: certificates.file('tls.crt'),
      [`${name}KEY_FILE`]: certificates.file('tls.key'),
    })
    const config = loadConfig({
      CONFIG_FILE: folder.file,
      REPORTS_SECRET: 'reports-secret',
      STALE_SECRET: 'stale-secret',
      LATE_SECRET: 'late-secret',
      LISTEN_ADDR: '127.0.0.1:0',
      GRPC_LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: '127.0.0.1:0',
      DEX_ISSUER: dex.issuer,
      ...volume.environment(`redis://127.0.0.1:${redis.port}`),
      ...pair('ADMIN_TLS_'),
      ...pair('DEX_CLIENT_'),
    })
    await using server = await startServer(config, await createLogger(config, silence()))
    const user = { userID: 'jane', email: 'jane@example.com', name: 'jane' }
    const check = async (target: string, client = 'web') => {
      const headers = { authorization: `Bearer ${staff.userToken({ ...user, client })}` }
      return (await ask(server.checkAddress.port, { target: `/check${target}`, headers })).status
    }
    const adminPort = server.adminAddress?.port ?? 0
    const status = async () => JSON.parse(await getOverTls(adminPort, '/status', authority.cert))
    for (const [target, wanted] of [
      ['/orders', 200],
      ['/orders', 200],
      ['/exchange', 200],
      ['/stale', 502],
    ] as const) {
      expect([target, await check(target)]).toEqual([target, wanted])
    }
    expect(await check('/orders', 'elsewhere')).toBe(401)
    dex.setFault('token', { kind: 'reset' })
    expect(await check('/late')).toBe(503)

    const { broker, certificates: shown, errors } = await status()
    expect(broker.sharedStore).toMatchObject({ circuit: 'closed' })
    expect(broker.caches.exchangedTokens.entries).toBe(1)
    expect(shown).toHaveLength(2)
    expect(errors).toContainEqual(expect.objectContaining({ client: 'stale', code: 'client_misconfigured' }))

    const page = await getOverTls(adminPort, '/', authority.cert)
    const tables = tablesIn(page)
    expect([...tables.keys()]).toEqual([
      ...['problems', 'overview', 'clients', 'issuers', 'key-sets', 'circuits', 'caches', 'latency'],
      ...['answers', 'certificates', 'errors', 'configuration'],
    ])
    expect(page).not.toContain('class="empty"')
    const blank = [...tables].flatMap(([id, rows]) => {
      const headings = Object.keys(rows[0] ?? {})
      return headings.filter(heading => rows.every(row => row[heading] === '–')).map(each => `${id}: ${each}`)
    })
    expect(blank).toEqual(blankHere)
    expect(tables.get('circuits')?.map(({ Of }) => Of)).toContain('shared store')
  })
})
