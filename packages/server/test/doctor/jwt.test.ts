import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { DevDex } from '@broker/dev-dex'
import { afterAll, expect, test } from 'vitest'
import { startDex } from '../support/start-broker.ts'
import { doctor } from './run-in-process.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'broker-doctor-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileWith(name: string, content: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, content)
  return file
}

const steps = ['form', 'algorithm', 'issuer', 'audience', 'time', 'key', 'signature', 'groups and scopes']

/** Walks a JWT through the gate of a broker for the audience `shop`. */
async function walk(dex: DevDex, jwt: string, environment: Readonly<Record<string, string>> = {}) {
  const run = await doctor(
    {
      DEX_ISSUER: dex.issuer,
      JWT_AUDIENCE: 'shop',
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET: 'orders-secret',
      ...environment,
    },
    ['--jwt-file', fileWith('jwt', jwt), '--path', '/orders'],
  )
  return {
    ...run,
    walked: steps.map(step => run.verdicts.find(each => each.endsWith(` ${step}`))?.split(' ')[0]),
  }
}

function claimsOf(dex: DevDex, changes: Readonly<Record<string, unknown>> = {}) {
  const now = Math.floor(Date.now() / 1000)
  return { iss: dex.issuer, aud: 'shop', sub: 'alice', iat: now, exp: now + 600, ...changes }
}

test('an accepted JWT: every step passes, and the answer follows', async () => {
  await using dex = await startDex()
  const jwt = dex.signJwt(claimsOf(dex))
  const { code, walked, result, text } = await walk(dex, `Bearer ${jwt}\n`)
  expect(walked).toEqual(Array(8).fill('ok'))
  expect(result('time').fact).toMatch(/^issued [\d.]+ s ago, expires in 10 min$/)
  expect(result('audience').fact).toBe('aud shop; accepted: shop')
  expect(result('rule').fact).toBe('GET /orders: 200, with a token of the client in STATIC_CLIENT_ID')
  expect(code).toBe(0)
  for (const part of jwt.split('.')) expect(text).not.toContain(part)
})

test('a wrong audience and an expired time are both named, and what stands behind them is checked', async () => {
  await using dex = await startDex()
  const now = Math.floor(Date.now() / 1000)
  const jwt = dex.signJwt(claimsOf(dex, { aud: ['billing'], exp: now - 700 }))
  const { code, walked, result } = await walk(dex, jwt)
  expect(walked).toEqual(['ok', 'ok', 'ok', 'failed', 'failed', 'ok', 'ok', 'ok'])
  expect(result('audience').fact).toBe(
    'aud does not contain an expected audience; aud billing; accepted: shop',
  )
  expect(result('audience').advice).toContain('JWT_AUDIENCE')
  expect(result('time').fact).toMatch(/^it is expired; .*expired 12 min ago$/)
  expect(result('time').advice).toContain('compare the clock')
  expect(code).toBe(1)
})

test('a JWT that is not valid yet', async () => {
  await using dex = await startDex()
  const now = Math.floor(Date.now() / 1000)
  const { walked, result } = await walk(dex, dex.signJwt(claimsOf(dex, { nbf: now + 300 })))
  expect(walked).toEqual(['ok', 'ok', 'ok', 'ok', 'failed', 'ok', 'ok', 'ok'])
  expect(result('time').fact).toContain('valid only in 5 min')
})

test('another issuer: names both, and does not guess the rest', async () => {
  await using dex = await startDex()
  const { walked, result } = await walk(dex, dex.signJwt(claimsOf(dex, { iss: 'https://idp.example.com' })))
  expect(walked).toEqual(['ok', 'ok', 'failed', ...Array(5).fill('skipped')])
  expect(result('issuer').fact).toContain(`iss https://idp.example.com; accepted: ${dex.issuer}`)
})

test('an unknown key, and a changed signature', async () => {
  await using dex = await startDex()
  await using other = await startDex()
  const foreign = await walk(dex, other.signJwt(claimsOf(dex)))
  expect(foreign.walked).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'failed', 'skipped', 'skipped'])
  expect(foreign.result('key').fact).toMatch(/^its kid is not in the key set; kid [\da-f]{40}$/)
  const [header, , signature] = dex.signJwt(claimsOf(dex)).split('.')
  const claims = Buffer.from(JSON.stringify(claimsOf(dex, { sub: 'mallory' }))).toString('base64url')
  const forged = await walk(dex, [header, claims, signature].join('.'))
  expect(forged.result('signature')).toMatchObject({
    verdict: 'failed',
    fact: 'its signature does not match',
  })
})

test('a text that is no JWT, and a refused algorithm', async () => {
  await using dex = await startDex()
  const junk = await walk(dex, 'hello')
  expect(junk.result('form')).toMatchObject({
    verdict: 'failed',
    fact: 'it is not a compact JWS; 5 characters',
  })
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  const unsigned = await walk(
    dex,
    `${none}.${Buffer.from(JSON.stringify(claimsOf(dex))).toString('base64url')}.AA`,
  )
  expect(unsigned.result('algorithm')).toMatchObject({
    verdict: 'failed',
    fact: 'its alg is not allowed; alg none',
  })
})

test('a missing group: names the groups found and those required', async () => {
  await using dex = await startDex()
  const jwt = dex.signJwt(claimsOf(dex, { groups: ['readers'] }))
  const { result } = await walk(dex, jwt, { REQUIRED_GROUPS: 'writers' })
  expect(result('groups and scopes')).toMatchObject({
    verdict: 'failed',
    fact: expect.stringContaining('groups readers; required: writers'),
    advice: expect.stringContaining('REQUIRED_GROUPS'),
  })
})

test('a token of a machine, and the rule that decides about it', async () => {
  await using dex = await startDex()
  const response = await fetch(dex.tokenEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('billing:billing-secret')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  const { access_token: jwt } = (await response.json()) as { access_token: string }
  const file = fileWith(
    'broker.yaml',
    `issuers:
  - { name: dex, issuer: "${dex.issuer}", audiences: [shop], machineAudiences: any }
clients:
  - { name: orders, clientId: orders, clientSecret: { env: ORDERS_SECRET } }
rules:
  - { name: people, when: 'caller.clientId == ""', deny: machines only }
  - { name: billing, when: '"client:billing" in caller.groups', client: orders }
`,
  )
  const run = await doctor({ DEX_ISSUER: dex.issuer, CONFIG_FILE: file, ORDERS_SECRET: 'orders-secret' }, [
    '--jwt-file',
    fileWith('machine', jwt),
  ])
  expect(run.result('machine').fact).toContain('for the client billing')
  expect(run.result('rule')).toMatchObject({
    verdict: 'ok',
    fact: 'GET /: rule 2, billing; 200, with a token of the client orders',
  })
})

test('without a gate nothing is judged', async () => {
  await using dex = await startDex()
  const { code, result } = await doctor({ DEX_TOKEN_URL: dex.tokenEndpoint }, [
    '--jwt-file',
    fileWith('any', 'x'),
  ])
  // The first result with this beginning is of the group about the gate.
  expect(result('gate').verdict).toBe('ok')
  expect(code).toBe(0)
})

test('an algorithm that is not listed is named beside those that are', async () => {
  await using dex = await startDex()
  const { walked, result } = await walk(dex, dex.signJwt(claimsOf(dex)), { JWT_ALGORITHMS: 'PS256 EdDSA' })
  expect(walked[1]).toBe('failed')
  expect(result('algorithm').fact).toContain('accepted: PS256, EdDSA')
})
