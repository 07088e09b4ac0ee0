import { MountedVolume } from '@broker/testing'
import { expect, test } from 'vitest'
import { ask } from '../harness/client-request.ts'
import { caller, credentials, type Dex } from '../harness/dex.ts'
import { brokerEnvironment, type System, startSystem } from '../harness/system.ts'
import { describeWithEnvoy, requireEnvoy } from '../harness/with-envoy.ts'
import { viewOf } from '../on-call/on-call-view.ts'

type Headers = Readonly<Record<string, string>>

/** A request passes; then the log, the status page and `doctor` with these arguments, in the pod and through Envoy, find nothing. */
async function expectNoProblem(
  system: System,
  environment: Headers,
  { headers, args }: { readonly headers: Headers; readonly args: readonly string[] },
): Promise<void> {
  expect((await ask(system.port(), { headers })).status).toBe(200)
  expect(system.broker.process.log).not.toMatch(/"level":"(?:warn|error|fatal)"/)
  const view = viewOf(system.broker, environment)
  const url = `http://127.0.0.1:${system.port()}/orders`
  for (const more of [[], ['--envoy', url, ...args]]) {
    const { code, findings } = await view.doctor(more)
    expect([code, findings]).toEqual([0, []])
  }
  expect(await view.problems()).toEqual([])
  // The machine of the tests may be slow.
  expect(await view.page()).toMatch(
    /No problems OK Nothing is wrong\.|1 problem Warning The event loop is late/,
  )
}

/** Every variable of the broker. */
async function startHealthy(own: (dex: Dex) => Headers): Promise<[System, Headers]> {
  let environment: Headers = {}
  const system = await startSystem(requireEnvoy(), {
    environment: dex => {
      environment = { ...brokerEnvironment(dex), DEX_TOKEN_URL: '', DEX_ISSUER: dex.issuer, ...own(dex) }
      return environment
    },
  })
  return [system, environment]
}

async function tokenOf({ tokenEndpoint }: Dex): Promise<string> {
  const response = await fetch(tokenEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${caller.id}:${encodeURIComponent(caller.secret)}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  return ((await response.json()) as { access_token: string }).access_token
}

describeWithEnvoy('a system in which nothing is wrong', () => {
  test('has no problem in the log, on the page and for doctor when callers send credentials', async () => {
    const [system, environment] = await startHealthy(() => ({}))
    await using _ = system
    using volume = new MountedVolume({ secret: caller.secret })
    const file = volume.file('secret')
    const args = ['--client-id', caller.id, '--client-secret-file', file]
    await expectNoProblem(system, environment, { headers: credentials, args })
  })

  test('has no problem in the log, on the page and for doctor when a gate accepts JWTs', async () => {
    const [system, environment] = await startHealthy(() => ({
      JWT_AUDIENCE: caller.id,
      STATIC_CLIENT_ID: caller.id,
      STATIC_CLIENT_SECRET: caller.secret,
      STATIC_SCOPE: 'openid',
    }))
    await using _ = system
    const jwt = await tokenOf(system.dex)
    using volume = new MountedVolume({ jwt })
    await expectNoProblem(system, environment, {
      headers: { authorization: `Bearer ${jwt}` },
      args: ['--jwt-file', volume.file('jwt')],
    })
  })
})
