import { TokenBroker, type TokenBrokerOptions } from '@broker/core'
import { startDevDex } from '@broker/dev-dex'
import { bench, do_not_optimize, run } from 'mitata'
import { MadeUpDex, madeUpUrls } from './made-up-dex.ts'

/** One call of the library, by the wall clock. */
export interface CallFigures {
  readonly name: string
  /** The fastest sample; each is the mean of a batch when a call is short. */
  readonly bestNs: number
  readonly medianNs: number
  readonly p99Ns: number
}

const client = {
  clientId: 'reports',
  clientSecret: 'a secret of reports 3f9c1d5a7b2e',
  scope: 'openid groups',
}
const hourS = 3600
/** More than the verified JWTs that are remembered, so that each is forgotten before it is used again. */
const newJwts = 6_000

/** Measures with mitata, which prints its own table. */
export async function callFigures(): Promise<CallFigures[]> {
  await using stack = new AsyncDisposableStack()
  const broker = (options: Partial<TokenBrokerOptions>) =>
    stack.use(
      new TokenBroker({ ...madeUpUrls, issuer: undefined, transport: new MadeUpDex().transport, ...options }),
    )

  const configured = broker({ client })
  await configured.getToken()
  bench('peekToken, static credentials', () => do_not_optimize(configured.peekToken()))
  bench('getToken hit, static credentials', () => configured.getToken())

  const open = broker({})
  await open.getToken(client)
  bench("peekToken hit, the caller's credentials", () => do_not_optimize(open.peekToken({ ...client })))
  bench("getToken hit, the caller's credentials", () => open.getToken({ ...client }))
  const nothing = broker({})
  bench('peekToken miss: the key derivation', () => do_not_optimize(nothing.peekToken({ ...client })))

  const check = (headers: Readonly<Record<string, string>>) => ({
    headers: Object.entries({
      Host: 'orders.example.com',
      'content-length': '0',
      'x-envoy-internal': 'true',
      'x-forwarded-for': '10.0.0.17',
      'x-envoy-expected-rq-timeout-ms': '5000',
      ...headers,
    }).flat(),
  })
  const cached = check({
    'x-client-id': client.clientId,
    'x-client-secret': client.clientSecret,
    'x-scope': client.scope,
  })
  bench("check hit, the caller's credentials", () => open.check(cached))
  const empty = check({})
  bench('check hit, static credentials', () => configured.check(empty))

  await using dex = await startDevDex()
  const jwks = await (await fetch(dex.jwksUri)).text()
  const gated = broker({
    client,
    transport: new MadeUpDex(jwks).transport,
    gate: { jwksUri: madeUpUrls.jwksUri, issuer: dex.issuer, audience: 'orders' },
  })
  const exp = Math.floor(Date.now() / 1000) + hourS
  const gatedChecks = Array.from({ length: newJwts }, (_, index) => {
    const claims = { iss: dex.issuer, sub: 'caller', aud: 'orders', exp, jti: `caller-${index}` }
    return check({ authorization: `Bearer ${dex.signJwt(claims)}` })
  })
  const [sameJwt] = gatedChecks
  if (sameJwt === undefined) throw new Error('there is no JWT')
  bench('check hit behind the gate, the same JWT', () => gated.check(sameJwt))
  let position = 0
  bench('check hit behind the gate, a new JWT', () =>
    gated.check(gatedChecks[position++ % newJwts] as { headers: string[] }),
  )

  for (const cacheMaxEntries of [1_024, 65_536, 1_000_000]) {
    const filling = broker({ cacheMaxEntries })
    let next = 0
    const another = () => {
      const clientId = `client-${next++}`
      return filling.getToken({ clientId, clientSecret: `secret of ${clientId}` })
    }
    if (cacheMaxEntries < 1_000_000) while (next < cacheMaxEntries) await another()
    const room = cacheMaxEntries < 1_000_000 ? `full with ${cacheMaxEntries}` : 'room for all'
    bench(`getToken miss (Dex answers at once), ${room}`, another)
  }

  for (const verdict of [
    await open.check(cached),
    await configured.check(empty),
    await gated.check(sameJwt),
  ]) {
    if (verdict.outcome !== 'allow') throw new Error(`a check was refused: ${verdict.body}`)
  }
  const { benchmarks } = await run({ throw: true, colors: process.stdout.isTTY === true })
  return benchmarks.flatMap(({ alias, runs }) =>
    runs.flatMap(({ stats }) =>
      stats ? [{ name: alias, bestNs: stats.min, medianNs: stats.p50, p99Ns: stats.p99 }] : [],
    ),
  )
}
