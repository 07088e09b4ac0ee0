import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type DevDex, type FaultKind, startDevDex } from '@broker/dev-dex'
import { until } from '@broker/testing'
import { expect, test } from 'vitest'
import { goServiceBinary } from '../harness/go-service.ts'
import {
  audience,
  startTokenSource,
  type TokenSource,
  type TokenSourceName,
  tokenSourceNames,
} from '../harness/token-source.ts'
import { describeWithEnvoy } from '../harness/with-envoy.ts'

const client = { id: 'reports', secret: 'reports-secret' }
const oddSecret = 'reports+secret%41/='
const page = readFileSync(new URL('../../docs/comparison.md', import.meta.url), 'utf8')
const down: FaultKind = { kind: 'reset' }
/** Longer than this broker remembers a refusal, and than Envoy waits between its attempts. */
const patienceMs = 8_000

interface SceneOptions {
  /** Before the party starts. */
  readonly spoil?: (dex: DevDex) => void
  /** The secret that Dex has. */
  readonly secret?: string
  /** The secret that the party has. Default: the same. */
  readonly configuredSecret?: string
  readonly checkTimeout?: string
  readonly idTokensMs?: number
}

interface Scene {
  readonly dex: DevDex
  readonly source: TokenSource
  /** Sends a request with a new JWT. */
  outcome(): Promise<string>
  /** Sends one request after the other until a token arrives, for `patienceMs` at most; the outcomes without repetitions. */
  outcomes(): Promise<string>
  jwt(): string
}

type Start = (options?: SceneOptions) => Promise<Scene>

async function startScene(
  name: TokenSourceName,
  stack: AsyncDisposableStack,
  options: SceneOptions = {},
): Promise<Scene> {
  const { spoil, secret = client.secret, configuredSecret = secret, checkTimeout, idTokensMs } = options
  const clients = [{ ...client, secret }]
  const dex = stack.use(await startDevDex({ clients, ...(idTokensMs !== undefined && { idTokensMs }) }))
  spoil?.(dex)
  const limit = checkTimeout === undefined ? {} : { checkTimeout }
  const configured = { ...client, secret: configuredSecret }
  const source = stack.use(await startTokenSource(name, { dex, client: configured, ...limit }))
  const jwt = () => {
    const now = Math.floor(Date.now() / 1000)
    return dex.signJwt({ iss: dex.issuer, aud: audience, sub: 'alice', iat: now, exp: now + 600 })
  }
  const outcome = () => source.outcome(jwt())
  const outcomes = async () => {
    const seen: string[] = []
    const end = performance.now() + patienceMs
    while (seen.at(-1) !== '200' && performance.now() < end) {
      const next = await outcome()
      if (next !== seen.at(-1)) seen.push(next)
      // real time: some of the parties wait by their own clock
      await delay(100)
    }
    return seen.join(', then ')
  }
  return { dex, source, outcome, outcomes, jwt }
}

/** A scene in which the party has a token. */
async function withToken(starting: Promise<Scene>): Promise<Scene> {
  const scene = await starting
  await until(async () => (await scene.outcome()) === '200', 'a first token')
  return scene
}

/** The outcome once Dex has been asked for a token: Envoy alone asks two seconds after its start. */
async function afterAsking({ dex, outcome }: Scene): Promise<string> {
  await outcome()
  await until(() => dex.counts.tokenRequests > 0, 'a token request')
  return await outcome()
}

/** How each row of the page is measured. */
const faults: Readonly<Record<string, (start: Start) => Promise<string>>> = {
  'Dex is down, the token is valid': async start => {
    const { dex, outcome } = await withToken(start())
    dex.setFault('token', down)
    return await outcome()
  },
  'Dex is down, the token has expired': async start => {
    const { dex, outcome } = await withToken(start({ idTokensMs: 4_000 }))
    dex.setFault('token', down)
    const end = Date.now() + 4_000
    await until(() => Date.now() > end)
    // Envoy forgets the token when its next attempt fails.
    await until(async () => (await outcome()) !== '200 with an expired token', 'no token', patienceMs)
    return await outcome()
  },
  'token requests for 40 callers while Dex is down': async start => {
    const { dex, outcome } = await start({ spoil: dex => dex.setFault('token', down) })
    for (let count = 0; count < 40; count++) await outcome()
    const { tokenRequests } = dex.counts
    return tokenRequests >= 40 ? '40 or more' : tokenRequests <= 10 ? '10 or fewer' : String(tokenRequests)
  },
  'Dex takes 2.5 s, and Envoy waits 1 s for a check': async start => {
    const spoil = (dex: DevDex) => dex.setFault('token', { kind: 'slow', delayMs: 2_500 })
    return await (await start({ spoil, checkTimeout: '1s' })).outcomes()
  },
  'the configured secret is wrong': async start =>
    await afterAsking(await start({ configuredSecret: 'old' })),
  'the secret has + and %': async start => {
    const { outcomes } = await start({ secret: oddSecret })
    return (await outcomes()).split(', then ').at(-1) ?? ''
  },
  'the file gets the right secret': async start => {
    const scene = await start({ configuredSecret: 'old' })
    if (scene.source.changeSecret === undefined) return 'no file'
    await afterAsking(scene)
    await scene.source.changeSecret(client.secret)
    return await scene.outcomes()
  },
  'Dex lost its keys, callers have new JWTs': async start => {
    const { dex, outcome } = await withToken(start())
    await dex.restart()
    return await outcome()
  },
  'Dex lost its keys, callers have old JWTs': async start => {
    const { dex, source, outcome, jwt } = await withToken(start())
    const old = jwt()
    await dex.restart()
    await outcome()
    return await source.outcome(old)
  },
  'Dex does not have the grant': async start => {
    const spoil = (dex: DevDex) => {
      dex.clientCredentialsEnabled = false
    }
    return await afterAsking(await start({ spoil }))
  },
  'a proxy answers one token request with a page and 200': async start => {
    const spoil = (dex: DevDex) => dex.setFault('token', { kind: 'html', status: 200, times: 1 })
    return await (await start({ spoil })).outcomes()
  },
}

const [, ...rows] = (page.split('\n## Faults\n')[1]?.split('\n## ')[0] ?? '')
  .split('\n')
  .filter(line => line.startsWith('| ') && !line.startsWith('| ---'))
  .map(line => line.split('|').map(cell => cell.trim().replaceAll('`', '')))
const columnOf = (name: TokenSourceName) => tokenSourceNames.indexOf(name) + 2

test('docs/comparison.md has these faults and no others', () => {
  expect(rows.map(([, fault]) => fault)).toEqual(Object.keys(faults))
})

for (const name of tokenSourceNames) {
  const tests = () => {
    // Side by side, because they mostly wait.
    test.concurrent.for(Object.keys(faults))(
      '%s, as docs/comparison.md says',
      { timeout: 60_000 },
      async (fault, { expect }) => {
        await using stack = new AsyncDisposableStack()
        const measured = await faults[fault]?.(options => startScene(name, stack, options))
        expect(rows.find(([, first]) => first === fault)?.[columnOf(name)]).toBe(measured)
      },
    )
  }
  const others = name === 'the Go service' ? { PEER_BIN: goServiceBinary !== undefined } : {}
  describeWithEnvoy(`behind a gate, the token from ${name}`, tests, others)
}
