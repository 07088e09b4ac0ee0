import { createCertificateAuthority, MountedVolume, type TlsIdentity, until } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { runCommand } from '../support/command.ts'
import { startDex } from '../support/start-broker.ts'
import { getOverTls, tablesIn } from './read-page.ts'

const day = 86_400_000
const authority = createCertificateAuthority()

/** A certificate that expires in so many days and an hour and a half. */
function expiring(name: string, days: number): TlsIdentity {
  return authority.issueFor({
    hosts: [name, 'localhost'],
    validTo: new Date(Date.now() + days * day + day / 16),
  })
}

/** The running command with a certificate for each purpose; the files of each change by `replace`. */
async function startCommand(
  identities: Readonly<Record<'check' | 'admin' | 'client', TlsIdentity>>,
  { grpc = true } = {},
) {
  const dex = await startDex()
  let files = filesOf(identities)
  const volume = new MountedVolume(files)
  const broker = runCommand([], {
    LISTEN_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: '127.0.0.1:0',
    ...(grpc && { GRPC_LISTEN_ADDR: '127.0.0.1:0' }),
    DEX_TOKEN_URL: dex.tokenEndpoint,
    TLS_CERT_FILE: volume.file('check.crt'),
    TLS_KEY_FILE: volume.file('check.key'),
    ADMIN_TLS_CERT_FILE: volume.file('admin.crt'),
    ADMIN_TLS_KEY_FILE: volume.file('admin.key'),
    DEX_CLIENT_CERT_FILE: volume.file('client.crt'),
    DEX_CLIENT_KEY_FILE: volume.file('client.key'),
  })
  const { adminPort = 0 } = await broker.listening()
  const get = (target: string) => getOverTls(adminPort, target, authority.cert)
  return {
    volume,
    get,
    // biome-ignore lint/suspicious/noExplicitAny: JSON of the page
    status: async (): Promise<any> => JSON.parse(await get('/status')),
    replace(changed: Parameters<typeof filesOf>[0]) {
      files = { ...files, ...filesOf(changed) }
      volume.swap(files)
    },
    async [Symbol.asyncDispose]() {
      broker.kill('SIGKILL')
      await broker.end()
      await dex.close()
      volume[Symbol.dispose]()
    },
  }
}

function filesOf(identities: Readonly<Partial<Record<string, TlsIdentity>>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(identities).flatMap(([name, identity]) =>
      identity === undefined
        ? []
        : [
            [`${name}.crt`, identity.cert],
            [`${name}.key`, identity.key],
          ],
    ),
  )
}

describe('the certificates on the status page of the command', () => {
  test('are all of those in use, with their subject, file and end', async () => {
    const far = new Date('2049-01-01').getTime()
    const identities = {
      check: authority.issue('check.example', 'localhost'),
      admin: authority.issue('admin.example', 'localhost'),
      client: authority.issue('client.example', 'localhost'),
    }
    await using broker = await startCommand(identities)
    const { certificates, problems } = await broker.status()
    const from = new Date('2020-01-01').getTime()
    const inUse = (listener: string, name: string) => ({
      listener,
      subject: `CN=${name}.example`,
      file: broker.volume.file(`${name}.crt`),
      validFrom: from,
      validTo: far,
    })
    expect(certificates).toEqual([
      inUse('check', 'check'),
      inUse('grpc', 'check'),
      inUse('admin', 'admin'),
      inUse('dex_client', 'client'),
    ])
    expect(problems.map(({ kind }: { kind: string }) => kind)).not.toContain('certificate-expiring')
    const row = (use: string, name: string) => ({
      Of: use,
      Subject: `CN=${name}.example`,
      File: broker.volume.file(`${name}.crt`),
      'Valid until': '2049-01-01 00:00:00 UTC',
      Expires: expect.stringMatching(/^in \d+ d/),
    })
    expect(tablesIn(await broker.get('/')).get('certificates')).toEqual([
      row('check listener', 'check'),
      row('gRPC listener', 'check'),
      row('admin listener', 'admin'),
      row('broker towards Dex', 'client'),
    ])
  })

  test('make a problem within 14 days of their end, until a new one is in its file', async () => {
    const identities = {
      check: expiring('check.example', 13),
      admin: expiring('admin.example', 15),
      client: expiring('client.example', 1),
    }
    await using broker = await startCommand(identities)
    const found = async () => {
      const { problems } = await broker.status()
      return problems.filter(({ kind }: { kind: string }) => kind === 'certificate-expiring')
    }
    expect(await found()).toMatchObject([
      {
        severity: 'critical',
        summary: expect.stringMatching(/^The client certificate for Dex expires in 25 h/),
      },
      { severity: 'warning', summary: 'The certificate of the check and gRPC listeners expires in 13 d 1 h' },
    ])
    expect((await found())[1].action).toContain(broker.volume.file('check.crt'))
    expect(await broker.get('/')).toContain('The client certificate for Dex expires in')

    const next = { check: authority.issue('next.example', 'localhost'), client: expiring('next.example', 30) }
    broker.replace(next)
    await until(async () => (await found()).length === 0, 'the new certificates', 15_000)
    const rows = tablesIn(await broker.get('/')).get('certificates') ?? []
    expect(rows.filter(({ Subject }) => Subject === 'CN=next.example')).toHaveLength(3)
  })

  test('have no series and no row of a listener that is off', async () => {
    const pair = authority.issue('check.example', 'localhost')
    await using broker = await startCommand({ check: pair, admin: pair, client: pair }, { grpc: false })
    expect(
      (await broker.status()).certificates.map(({ listener }: { listener: string }) => listener),
    ).toEqual(['check', 'admin', 'dex_client'])
    const metrics = await broker.get('/metrics')
    expect(metrics).toContain('tls_certificate_not_after_seconds{listener="check"}')
    expect(metrics).toContain('tls_connections_refused_total{listener="admin",reason="timeout"} 0')
    expect(metrics).not.toContain('listener="grpc"')
  })
})
