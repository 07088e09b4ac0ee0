import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startDevDex } from '@broker/dev-dex'
import { loadConfig, startServer } from '@broker/server'
import { ask } from '@broker/testing'

const secrets = { READERS_SECRET: 'readers-secret', WRITERS_SECRET: 'writers-secret' }
await using dex = await startDevDex({
  clients: [
    { id: 'orders', secret: 'orders-secret', trustedPeers: ['orders-readers', 'orders-writers'] },
    { id: 'orders-readers', secret: secrets.READERS_SECRET },
    { id: 'orders-writers', secret: secrets.WRITERS_SECRET },
    { id: 'ci-pipeline', secret: 'pipeline-secret' },
  ],
})

// The file of the example, with the address at which Dex's stand-in happens to listen.
const folder = mkdtempSync(path.join(tmpdir(), 'broker-rules-'))
const file = path.join(folder, 'broker.yaml')
const example = readFileSync(new URL('../broker.yaml', import.meta.url), 'utf8')
writeFileSync(file, example.replace('http://127.0.0.1:5556/dex', dex.issuer))

const config = loadConfig({
  ...secrets,
  CONFIG_FILE: file,
  DEX_ISSUER: dex.issuer,
  LISTEN_ADDR: '127.0.0.1:0',
  ADMIN_ADDR: '127.0.0.1:0',
  LOG_LEVEL: 'error',
})
const server = await startServer(config)

try {
  const machine = await machineToken()
  const engineer = userToken({ groups: ['engineering'] })
  const stranger = userToken({ groups: ['sales'] })
  const impostor = userToken({ groups: ['client:ci-pipeline'] })

  const rows: readonly Row[] = [
    {
      caller: 'pipeline, reads',
      jwt: machine,
      status: 200,
      client: 'orders-readers',
      xCaller: 'machine ci-pipeline',
    },
    { caller: 'pipeline, writes', jwt: machine, method: 'POST', status: 403 },
    {
      caller: 'engineer',
      jwt: engineer,
      method: 'POST',
      status: 200,
      client: 'orders-writers',
      xCaller: 'jane@example.com',
    },
    { caller: 'engineer, administration', jwt: engineer, path: '/admin/users', status: 403 },
    {
      caller: 'engineer, a path with two meanings',
      jwt: engineer,
      path: '/orders/%2e%2e/admin/users',
      status: 403,
    },
    { caller: 'a person of no group', jwt: stranger, status: 403 },
    { caller: 'a person who claims to be the pipeline', jwt: impostor, status: 403 },
    { caller: 'without a JWT', jwt: undefined, status: 401 },
  ]
  for (const row of rows) {
    const { caller, jwt, method = 'GET', path: target = '/orders/17', status, client, xCaller } = row
    const answer = await check(target, method, jwt)
    console.log(
      `${caller.padEnd(40)} ${answer.status} ${answer.client ?? ''} ${answer.xCaller ?? ''}`.trimEnd(),
    )
    assert.deepEqual(answer, { status, client, xCaller }, caller)
  }
  // One token for each of the two clients, and the pipeline's own.
  assert.equal(dex.counts.tokenRequests, 3)
  console.log('each caller has the client of the first rule that matches, or none')
} finally {
  await server.close()
  rmSync(folder, { recursive: true })
}

interface Row {
  readonly caller: string
  readonly jwt: string | undefined
  readonly method?: string
  readonly path?: string
  readonly status: number
  readonly client?: string | undefined
  readonly xCaller?: string | undefined
}

/** Sends a check as Envoy does, with a forged header. */
async function check(target: string, method: string, jwt: string | undefined) {
  const answer = await ask(server.checkAddress.port, {
    target: `/check${target}`,
    method,
    headers: { 'x-caller': 'forged', ...(jwt !== undefined && { authorization: `Bearer ${jwt}` }) },
  })
  return {
    status: answer.status,
    client: clientOf(answer.header('authorization')),
    xCaller: answer.header('x-caller'),
  }
}

/** The client of a token. */
function clientOf(bearer: string | undefined): string | undefined {
  if (typeof bearer !== 'string') return undefined
  const [, claims = ''] = bearer.split('.')
  const { aud, azp } = JSON.parse(Buffer.from(claims, 'base64url').toString())
  return azp ?? aud
}

function userToken({ groups }: { readonly groups: readonly string[] }): string {
  return dex.signJwt({
    iss: dex.issuer,
    sub: 'CgRqYW5lEgVsb2NhbA',
    aud: 'orders',
    email: 'jane@example.com',
    groups,
    exp: Math.floor(Date.now() / 1000) + 3600,
  })
}

async function machineToken(): Promise<string> {
  const response = await fetch(dex.tokenEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('ci-pipeline:pipeline-secret').toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'openid' }),
  })
  const { access_token: token } = (await response.json()) as { access_token: string }
  return token
}
