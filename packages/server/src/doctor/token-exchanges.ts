import { BrokerError } from '@broker/core'
import { brokerFailure } from '../broker-failure.ts'
import type { ExchangeDefinition } from '../rules/rule-definition.ts'
import { failed, ok, type Report, skipped } from './check-result.ts'
import { doctorBroker } from './doctor-broker.ts'
import type { DoctorContext } from './doctor-context.ts'
import type { FoundUpstream } from './upstream-checks.ts'

const lifeSeconds = 300

/**
 * Tries each exchange of the rules with a made-up JWT. Dex judges the client and the connector before the JWT, so that its refusal
 * of the JWT shows that the rest is right.
 */
export async function checkTokenExchanges(
  context: DoctorContext,
  dex: FoundUpstream | undefined,
  report: Report,
): Promise<void> {
  const { file, broker: options } = context.config
  const tried = new Set<string>()
  for (const exchange of file?.exchanges ?? []) {
    const name = `exchange by ${exchange.connectorId} with ${exchange.client}`
    if (tried.has(name)) continue
    tried.add(name)
    if (dex?.hasTokenEndpoint !== true || options.clients?.[exchange.client]?.dex !== undefined) {
      report(
        skipped(
          name,
          'only tried at the Dex of DEX_ISSUER or DEX_TOKEN_URL, when its token endpoint answers',
        ),
      )
    } else await tryExchange(context, { name, exchange }, report)
  }
}

async function tryExchange(
  context: DoctorContext,
  { name, exchange }: { readonly name: string; readonly exchange: ExchangeDefinition },
  report: Report,
): Promise<void> {
  // Without a gate only Dex judges the JWT.
  const broker = doctorBroker(context, {
    gate: undefined,
    issuers: undefined,
    chooseClient: undefined,
    clients: ofOwnDex(context.config.broker.clients ?? {}),
  })
  try {
    await broker.exchange({ ...exchange, subjectToken: madeUpJwt(context.now()), signal: context.signal })
    report(ok(name, 'Dex exchanges any JWT there, a made-up one included'))
  } catch (error) {
    if (!BrokerError.is(error)) throw error
    if (error.hint?.problem === 'subject_not_accepted') {
      report(ok(name, 'Dex accepts the client and the connector, and refuses a made-up JWT'))
      return
    }
    const { fact, advice } = brokerFailure(error, context)
    report(failed(name, fact, advice))
  } finally {
    await broker.close()
  }
}

/** Clients of other Dexes name issuers that this broker does not have. */
function ofOwnDex<Client extends { readonly dex?: string | undefined }>(
  clients: Readonly<Record<string, Client>>,
): Record<string, Client> {
  return Object.fromEntries(Object.entries(clients).filter(([, { dex }]) => dex === undefined))
}

/** A JWT that nobody signed. */
function madeUpJwt(nowMs: number): string {
  const now = Math.floor(nowMs / 1_000)
  const claims = { iss: 'https://doctor.invalid', sub: 'doctor', iat: now, exp: now + lifeSeconds }
  const parts = [{ alg: 'RS256', kid: 'doctor' }, claims].map(part =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  )
  return `${parts.join('.')}.${Buffer.alloc(256).toString('base64url')}`
}
