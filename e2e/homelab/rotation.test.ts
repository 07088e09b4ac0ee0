import { MountedVolume, startBroker, until } from '@broker/testing'
import { describe, test } from 'vitest'
import { CheckClient, CheckLoad, printMeasured, tally } from '../faults/checks.ts'
import { Backend } from './backend.ts'
import { startHomelab } from './homelab.ts'

/** The runbook of docs/secrets.md, step by step, with the lines that it quotes. */

const first = [{ id: 'reports', secret: 'first-secret' }]
const second = [{ id: 'reports', secret: 'second-secret' }]

/** Each has its own token. */
const scopes = ['openid', 'email', 'profile', 'groups', 'openid email']
const headersOf = (index: number) => ({ 'x-scope': scopes[index % scopes.length] as string })
/** Its token is not cached yet. */
const newScope = (scope: string) => ({ 'x-scope': scope })

const reloaded = 'configuration reloaded'
const previousInUse = 'client secret rejected by Dex; the previous one is in use'
const accepted = 'client secret accepted'
const dropped = 'tokens dropped: the key that signed them is gone'

const volumeWith = (secret: string) => ({ 'client-secret': secret })

function startBrokerFor(issuer: string, volume: MountedVolume) {
  return startBroker({
    DEX_ISSUER: issuer,
    STATIC_CLIENT_ID: 'reports',
    STATIC_CLIENT_SECRET_FILE: volume.file('client-secret'),
    ALLOW_UNAUTHENTICATED_CALLERS: 'true',
    JWKS_MAX_AGE: '10s',
  })
}

// Each test has a Dex and a broker to itself, and mostly waits: they run side by side.
describe.concurrent('a client secret in a mounted Kubernetes Secret', () => {
  test("rotates with the broker first, though Dex's restart with the new one loses its keys", async ({
    expect,
  }) => {
    await using homelab = await startHomelab(first)
    const { pod, caddy } = homelab
    using volume = new MountedVolume(volumeWith('first-secret'))
    await using broker = await startBrokerFor(caddy.url, volume)
    const { process } = broker
    using client = new CheckClient(broker.port)
    await using load = new CheckLoad(client, { perSecond: 50, headersOf })
    await load.inARow(10 * scopes.length)

    volume.swap(volumeWith('second-secret'))
    await until(() => process.log.includes(reloaded), reloaded)
    const between = await client.ask(newScope('openid profile'))
    expect(between.outcome).toBe('200')
    expect(process.log).toContain(previousInUse)
    expect(process.log).not.toContain(accepted)

    await pod.delete()
    pod.settings = { ...pod.settings, clients: second }
    const backend = await Backend.withKeysOf(await pod.start())
    await until(
      async () => (await backend.refused(load.answers.slice(-scopes.length))).length === 0,
      'a good token for each scope',
      30_000,
    )
    // Its client id was accepted with the previous secret, so the first new token says that it is accepted.
    const after = await client.ask(newScope('openid groups'))
    await load.answered(10 * scopes.length)
    const answers = await load.stop()

    printMeasured('a rotation, the broker first', { outcomes: tally(answers) })
    expect(after.outcome).toBe('200')
    expect(tally(answers)).toEqual({ 200: answers.length })
    expect(process.log).toContain(dropped)
    expect(process.log).toContain(accepted)
    expect(process.log.split(previousInUse)).toHaveLength(2)
  })

  test('rotates with Dex first: cached tokens are used, others fail until the broker has it', async ({
    expect,
  }) => {
    await using homelab = await startHomelab(first)
    const { pod, caddy } = homelab
    using volume = new MountedVolume(volumeWith('first-secret'))
    await using broker = await startBrokerFor(caddy.url, volume)
    const { process } = broker
    using client = new CheckClient(broker.port)
    await using load = new CheckLoad(client, { perSecond: 50, headersOf })
    await load.inARow(10 * scopes.length)

    await pod.changeSecrets(second)
    const between = await client.ask(newScope('openid profile'))
    expect(between.outcome).toBe('502 client_misconfigured')
    expect(process.log).toMatch(/"oauthError":"invalid_client".*"msg":"token request failed/)

    volume.swap(volumeWith('second-secret'))
    await until(() => process.log.includes(reloaded), reloaded)
    const after = await client.ask(newScope('openid profile'))
    await load.answered(10 * scopes.length)
    const answers = await load.stop()

    printMeasured('a rotation, Dex first', { outcomes: tally(answers) })
    expect(after.outcome).toBe('200')
    expect(tally(answers)).toEqual({ 200: answers.length })
    expect(process.log).not.toContain(dropped)
    expect(process.log).not.toContain(previousInUse)
  })
})
