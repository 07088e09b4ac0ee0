import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createCertificateAuthority, listening } from '@broker/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { startBroker, startDex, warnLevel } from '../support/start-broker.ts'
import { doctor } from './run-in-process.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'broker-doctor-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileWith(name: string, content: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, content)
  chmodSync(file, 0o600)
  return file
}

/** Nothing listens there; what is tested here needs no Dex. */
const noDex = { DEX_TOKEN_URL: 'http://127.0.0.1:1/token', HTTP_TIMEOUT: '1s' }

describe('the configuration', () => {
  test('with several faults: lists each, and checks nothing else', async () => {
    const { code, verdicts } = await doctor({
      DEX_TOKEN_URL: 'http://dex.example.com/token',
      HTTP_TIMEOUT: 'soon',
    })
    expect(verdicts).toEqual(['failed HTTP_TIMEOUT', 'failed DEX_TOKEN_URL', 'skipped other checks'])
    expect(code).toBe(1)
  })

  test('with a fault in the file: has its line and column, and an example', async () => {
    const file = fileWith('faulty.yaml', 'clients:\n  - { name: reports, clientId: reports }\n')
    const { result } = await doctor({ ...noDex, CONFIG_FILE: file })
    expect(result(`${file}:2:5 clients[0].clientSecret`)).toMatchObject({
      verdict: 'failed',
      fact: 'is missing; it is optional only with authentication',
      advice: expect.stringContaining('clientSecret: { file: '),
    })
  })

  test('that only lacks its gate: fails, because the broker does not start, and checks the rest', async () => {
    await using dex = await startDex()
    const { code, result } = await doctor({
      DEX_ISSUER: dex.issuer,
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET: 'orders-secret',
    })
    expect(result('JWT_AUDIENCE').verdict).toBe('failed')
    expect(result('gate')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('every caller'),
    })
    expect(result('token of default').verdict).toBe('ok')
    expect(code).toBe(1)
  })
})

describe('secret files', () => {
  const secretIn = (content: string) =>
    doctor({ ...noDex, STATIC_CLIENT_ID: 'orders', STATIC_CLIENT_SECRET_FILE: fileWith('secret', content) })

  test('that are readable pass', async () => {
    const { result, text } = await secretIn('s3cr3t-of-orders\n')
    expect(result('STATIC_CLIENT_SECRET_FILE').verdict).toBe('ok')
    expect(text).not.toContain('s3cr3t-of-orders')
  })

  test('with blanks, a Windows line break or a byte order mark: say what Dex may see', async () => {
    const facts = async (content: string) => {
      const { verdict, fact } = (await secretIn(content)).result('STATIC_CLIENT_SECRET_FILE')
      expect(verdict).toBe('warning')
      return fact
    }
    expect(await facts('secret \n')).toContain('counts as a part of the secret')
    expect(await facts('secret\r\n')).toContain('Windows line break')
    expect(await facts('\u{feff}secret')).toContain('byte order mark')
  })

  test('that are empty or missing fail, with the user of the broker', async () => {
    const empty = await secretIn('\n')
    expect(empty.result('STATIC_CLIENT_SECRET_FILE').verdict).toBe('failed')
    const missing = await doctor({
      ...noDex,
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET_FILE: `${folder}/nowhere`,
    })
    expect(missing.result('STATIC_CLIENT_SECRET_FILE')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('does not exist'),
      advice: expect.stringContaining(`uid ${process.getuid?.()}`),
    })
  })

  test('that everybody can write are a warning', async () => {
    const file = fileWith('open', 'secret')
    chmodSync(file, 0o666)
    const { result } = await doctor({ ...noDex, STATIC_CLIENT_ID: 'orders', STATIC_CLIENT_SECRET_FILE: file })
    expect(result('STATIC_CLIENT_SECRET_FILE')).toMatchObject({
      verdict: 'warning',
      fact: expect.stringContaining('written by every user'),
    })
  })

  test('of clients in the configuration file are found beside it', async () => {
    fileWith('reports-secret', 'secret\r\n')
    const file = fileWith(
      'clients.yaml',
      'clients:\n  - { name: reports, clientId: reports, clientSecret: { file: reports-secret } }\n',
    )
    const { result } = await doctor({ ...noDex, CONFIG_FILE: file })
    expect(result('clientSecret of the client reports').fact).toContain('Windows line break')
  })
})

describe('addresses of listeners', () => {
  test('in use by a broker: say so, for every protocol, without a trace in its log and its metrics', async () => {
    await using broker = await startBroker({ GRPC_LISTEN_ADDR: '127.0.0.1:0' })
    const { code, result } = await doctor({
      DEX_TOKEN_URL: broker.dex.tokenEndpoint,
      LISTEN_ADDR: `127.0.0.1:${broker.port}`,
      ADMIN_ADDR: `127.0.0.1:${broker.server.adminAddress?.port}`,
      GRPC_LISTEN_ADDR: `127.0.0.1:${broker.server.grpcAddress?.port}`,
    })
    for (const variable of ['LISTEN_ADDR', 'ADMIN_ADDR', 'GRPC_LISTEN_ADDR']) {
      expect(result(variable)).toMatchObject({
        verdict: 'ok',
        fact: expect.stringMatching(/is already in use by a running dex-token-broker$/),
      })
    }
    const metrics = (await broker.admin('/metrics')).body
    expect(metrics).toMatch(/^dex_token_broker_unknown_requests_total 0$/m)
    expect(metrics).not.toMatch(/^dex_token_broker_checks_total\S* [1-9]/m)
    expect(broker.log.filter(({ level }) => level >= warnLevel)).toEqual([])
    expect(code).toBe(0)
  })

  test('in use by something else: say what answers', async () => {
    await using web = await listening((_, response) => response.writeHead(418).end())
    const mute = createServer(socket => socket.end('hello\n')).listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const { result } = await doctor({
      ...noDex,
      LISTEN_ADDR: `127.0.0.1:${web.port}`,
      ADMIN_ADDR: `127.0.0.1:${(mute.address() as AddressInfo).port}`,
    })
    mute.close()
    expect(result('LISTEN_ADDR').fact).toContain('something that answers /healthz with status 418')
    expect(result('ADMIN_ADDR').fact).toContain('something that does not speak HTTP')
  })

  test('of another machine fail', async () => {
    const { code, result } = await doctor({ ...noDex, LISTEN_ADDR: '192.0.2.1:8080' })
    expect(result('LISTEN_ADDR')).toMatchObject({
      verdict: 'failed',
      fact: '192.0.2.1:8080 is not an address of this machine',
    })
    expect(code).toBe(1)
  })
})

describe('the certificates of the broker', () => {
  const authority = createCertificateAuthority()
  const now = Date.now()
  const day = 86_400_000

  test.each([
    ['has months left', now + 90.5 * day, 'ok', 'expires in 90 days', 0],
    ['ends soon', now + 3.5 * day, 'warning', 'expires at', 0],
    ['has ended', now - day, 'failed', 'expired at', 1],
  ])('one that %s', async (_, end, verdict, fact, failures) => {
    const { cert, key } = authority.issueFor({ hosts: ['broker'], validTo: new Date(end) })
    const run = await doctor({
      ...noDex,
      TLS_CERT_FILE: fileWith('tls.crt', cert),
      TLS_KEY_FILE: fileWith('tls.key', key),
    })
    expect(run.result('TLS_CERT_FILE')).toMatchObject({ verdict, fact: expect.stringContaining(fact) })
    expect(run.verdicts.filter(each => each === 'failed TLS_CERT_FILE')).toHaveLength(failures)
  })

  test('one with another key is a fault of the configuration', async () => {
    const { cert } = authority.issue('broker')
    const { key } = authority.issue('broker')
    const { verdicts } = await doctor({
      ...noDex,
      TLS_CERT_FILE: fileWith('tls.crt', cert),
      TLS_KEY_FILE: fileWith('tls.key', key),
    })
    expect(verdicts).toEqual(['failed TLS_KEY_FILE', 'skipped other checks'])
  })
})
