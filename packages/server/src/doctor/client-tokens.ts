import { BrokerError, type DefaultClient, type TokenBroker } from '@broker/core'
import { brokerFailure } from '../broker-failure.ts'
import { failed, ok, type Report, skipped, warning } from './check-result.ts'
import { doctorBroker } from './doctor-broker.ts'
import type { DoctorContext } from './doctor-context.ts'
import { checkTokenClaims } from './token-claims.ts'
import type { FoundUpstream } from './upstream-checks.ts'

interface ConfiguredClient extends DefaultClient {
  readonly name: string
  /** The issuer in whose group its token endpoint is. */
  readonly dex: string | undefined
}

/** Requests a token for each configured client, and looks into it. `upstreamOf` resolves with what its Dex is like. */
export async function checkClientTokens(
  context: DoctorContext,
  upstreamOf: (dex: string | undefined) => Promise<FoundUpstream | undefined>,
  report: Report,
): Promise<void> {
  const clients = clientsOf(context)
  if (clients.length === 0) {
    report(skipped('clients', 'none has id and secret: callers send what is missing'))
    return
  }
  const broker = doctorBroker(context)
  try {
    for (const client of clients) await checkClient(context, { client, broker, upstreamOf, report })
  } finally {
    await broker.close()
  }
}

function clientsOf({ config: { broker, file } }: DoctorContext): readonly ConfiguredClient[] {
  const { client, clients = {} } = broker
  const exchangers = new Set((file?.exchanges ?? []).map(each => each.client))
  const own =
    client?.clientId !== undefined && client.clientSecret !== undefined
      ? [{ ...client, name: 'default', dex: undefined }]
      : []
  const named = Object.entries(clients).map(([name, each]) => ({ ...each, name, dex: each.dex }))
  // A Dex that only exchanges tokens needs no client_credentials grant; the exchange is checked instead.
  const onlyExchange = (name: string) => exchangers.has(name) && file?.clientsOfRules.has(name) === false
  return [...own, ...named].filter(({ name }) => !onlyExchange(name))
}

interface ClientCheck {
  readonly client: ConfiguredClient
  readonly broker: TokenBroker
  readonly upstreamOf: (dex: string | undefined) => Promise<FoundUpstream | undefined>
  readonly report: Report
}

async function checkClient(
  context: DoctorContext,
  { client, broker, upstreamOf, report }: ClientCheck,
): Promise<void> {
  const name = `token of ${client.name}`
  const upstream = await upstreamOf(client.dex)
  if (upstream?.hasTokenEndpoint !== true) {
    report(skipped(name, 'the token endpoint does not answer'))
    return
  }
  try {
    const token = await broker.getToken({
      ...(client.name !== 'default' && { client: client.name }),
      signal: context.signal,
    })
    const lifeMs = token.expiresAt - context.now()
    const claims = await checkTokenClaims({
      context,
      broker,
      client,
      upstream,
      token: token.accessToken,
      lifeMs,
    })
    report(claims.verdict === 'ok' ? ok(name, claims.fact) : warning(name, claims.fact, claims.advice))
    for (const problem of claims.problems) report({ ...problem, name: `${problem.name} of ${client.name}` })
  } catch (error) {
    if (!BrokerError.is(error)) throw error
    const { fact, advice } = brokerFailure(error, context)
    report(failed(name, fact, advice))
  }
}
