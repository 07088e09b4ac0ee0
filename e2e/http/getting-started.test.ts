import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startDevDex } from '@broker/dev-dex'
import { envoyBootstrap, freePort, ManagedProcess, startBroker, startEnvoy } from '@broker/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWithEnvoy, requireEnvoy } from '../harness/with-envoy.ts'

const shipped = new URL('../../deploy/envoy/', import.meta.url)
const dexBinary = process.env['DEX_BIN']

/** The answer of backend.mjs. */
interface Seen {
  readonly path: string
  readonly headers: object
  readonly claims: object
}

// The files and the requests of docs/getting-started-envoy.md; only ports differ.
describeWithEnvoy('getting started with Envoy', () => {
  const stack = new AsyncDisposableStack()
  let gateway: string

  beforeAll(async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'getting-started-'))
    stack.defer(() => rm(folder, { recursive: true, force: true }))
    const place = async (name: string, port: number, written: number) => {
      const text = await readFile(new URL(name, shipped), 'utf8')
      const file = path.join(folder, name)
      await writeFile(file, text.replaceAll(String(written), String(port)))
      return file
    }

    const dexPort = await freePort()
    const issuer = `http://127.0.0.1:${dexPort}/dex`
    const dexFile = await place('dex.yaml', dexPort, 5556)
    if (dexBinary) stack.use(new ManagedProcess('Dex', dexBinary, ['serve', dexFile]))
    else stack.use(await startDevDex({ port: dexPort, clients: await clientsOf(dexFile) }))

    const backendPort = await freePort()
    const backendFile = await place('backend.mjs', backendPort, 9000)
    stack.use(new ManagedProcess('the backend', process.execPath, [backendFile]))

    const broker = stack.use(await startBroker({ DEX_ISSUER: issuer }))
    const bootstrap = envoyBootstrap({ brokers: [broker], backendPort, listeners: { ingress: () => {} } })
    const envoy = stack.use(await startEnvoy(requireEnvoy(), bootstrap))
    gateway = `http://127.0.0.1:${envoy.port('ingress')}`
    await broker.process.until('it was ready', async () => {
      const { status } = await fetch(`http://127.0.0.1:${broker.adminPort}/readyz`)
      return status === 200 ? true : undefined
    })
  })
  afterAll(() => stack.disposeAsync())

  const reports = { 'x-client-id': 'reports', 'x-client-secret': 'reports-secret' }
  const get = (headers: Record<string, string>) => fetch(`${gateway}/orders`, { headers })
  const seenBy = async (answer: Promise<Response>) => (await (await answer).json()) as Seen

  test('the backend gets a token of the caller’s client, and no secret', async () => {
    const { path: target, headers, claims } = await seenBy(get(reports))
    expect(target).toBe('/orders')
    expect(claims).toMatchObject({ aud: 'reports' })
    expect(claims).not.toHaveProperty('groups')
    expect(headers).not.toHaveProperty('x-client-id')
    expect(headers).not.toHaveProperty('x-client-secret')
  })

  test('a scope asks for groups and for another audience', async () => {
    const { claims } = await seenBy(get({ ...reports, 'x-scope': 'groups audience:server:client_id:orders' }))
    expect(claims).toMatchObject({ aud: ['orders', 'reports'], azp: 'reports', groups: ['readers'] })
  })

  test('nothing and a wrong secret are refused before the backend', async () => {
    expect(await (await get({})).json()).toMatchObject({ error: 'missing_credentials' })
    const wrong = await get({ ...reports, 'x-client-secret': 'wrong' })
    expect(wrong.status).toBe(401)
    expect(await wrong.json()).toMatchObject({ error: 'token_request_rejected' })
  })
})

/** The static clients of dex.yaml, for the look-alike; a real Dex reads the file itself. */
async function clientsOf(file: string) {
  const text = await readFile(file, 'utf8')
  return text
    .split(/^ {2}- (?=id: )/m)
    .slice(1)
    .map(client => {
      const listOf = (name: string) =>
        new RegExp(`^ +${name}: \\[(.*)\\]$`, 'm').exec(client)?.[1]?.split(', ') ?? []
      const textOf = (name: string) => new RegExp(`^ *${name}: (.*)$`, 'm').exec(client)?.[1] ?? ''
      const [groups, trustedPeers] = [listOf('groups'), listOf('trustedPeers')]
      return { id: textOf('id'), secret: textOf('secret'), groups, trustedPeers }
    })
}
