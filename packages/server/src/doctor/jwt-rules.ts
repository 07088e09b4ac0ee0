import { BrokerError, type JwtRefusalReason, type Logger, type TokenBrokerOptions } from '@broker/core'
import { dexMachineOf } from '@broker/core/diagnosis'
import { brokerFailure } from '../broker-failure.ts'
import { hasGate } from '../explain/explain.ts'
import { failed, ok, type Report, skipped } from './check-result.ts'
import { doctorBroker, refusalText } from './doctor-broker.ts'
import type { DoctorContext } from './doctor-context.ts'
import { type StepName, steps } from './gate-steps.ts'
import { JwtFacts } from './jwt-facts.ts'

interface Refused {
  readonly step: StepName
  readonly reason: JwtRefusalReason | undefined
  readonly fact: string
  readonly advice: string | undefined
}

/**
 * Walks a JWT through the gate, which decides itself. A step that can be left out, such as the audience, is left out after it
 * refused, so that the steps behind it are known as well. Returns whether the gate accepts the JWT.
 */
export async function checkJwt(context: DoctorContext, jwt: string, report: Report): Promise<boolean> {
  if (!hasGate(context.config)) {
    report(skipped('gate', 'there is none, so that nothing judges a JWT'))
    return false
  }
  const facts = new JwtFacts(context, jwt)
  const refusals: Refused[] = []
  let relaxed: Partial<TokenBrokerOptions> | undefined = {}
  while (relaxed !== undefined && refusals.length < steps.length) {
    const refused = await ask(context, jwt, relaxed)
    if (refused === undefined) break
    refusals.push(refused)
    relaxed = relaxedAfter(refused, relaxed, context, facts)
  }
  const brokeOff = relaxed === undefined ? refusals.at(-1)?.step : undefined
  let isReached = true
  for (const { name } of steps) {
    const refused = refusals.find(({ step }) => step === name)
    const fact = facts.of(name)
    if (refused !== undefined)
      report(failed(name, fact === '' ? refused.fact : `${refused.fact}; ${fact}`, refused.advice))
    else report(isReached ? ok(name, fact || 'accepted') : skipped(name, fact || 'not reached'))
    if (name === brokeOff) isReached = false
  }
  const machine = dexMachineOf(facts.claims)
  if (machine !== undefined)
    report(ok('machine', `a client_credentials token of Dex for the client ${machine}`))
  return refusals.length === 0
}

/** Asks the gate once. */
async function ask(
  context: DoctorContext,
  jwt: string,
  changes: Partial<TokenBrokerOptions>,
): Promise<Refused | undefined> {
  const seen: { reason?: JwtRefusalReason; hint?: string } = {}
  const broker = doctorBroker(context, {
    ...changes,
    observe: event => {
      if (event.type === 'jwt_refusal') seen.reason ??= event.reason
    },
    logger: hintsInto(seen),
  })
  try {
    await broker.verify(jwt, { signal: context.signal })
    return undefined
  } catch (error) {
    if (!BrokerError.is(error)) throw error
    const { reason, hint } = seen
    const step =
      steps.find(({ reasons }) => (reasons as readonly string[]).includes(reason ?? ''))?.name ?? 'key'
    if (reason !== undefined) return { step, reason, fact: refusalText(error), advice: hint }
    const failure = brokerFailure(error, context)
    return { step, reason, fact: failure.fact, advice: failure.advice ?? hint }
  } finally {
    await broker.close()
  }
}

function hintsInto(seen: { hint?: string }): Logger {
  const keep = ({ hint }: { hint?: unknown }) => {
    if (typeof hint === 'string') seen.hint ??= hint
  }
  return { debug() {}, info() {}, warn: keep, error: keep }
}

/** The options without what refused; `undefined` when the steps behind it depend on it. */
function relaxedAfter(
  { reason }: Refused,
  relaxed: Partial<TokenBrokerOptions>,
  { transports, config }: DoctorContext,
  facts: JwtFacts,
): Partial<TokenBrokerOptions> | undefined {
  if (reason === 'audience') {
    const { gate } = config.broker
    const issuers = transports.issuers?.map(issuer => ({ ...issuer, audiences: undefined }))
    return { ...relaxed, ...(issuers ? { issuers } : { gate: { ...gate, audience: undefined } }) }
  }
  const wall = facts.momentOfValidity
  if (
    (reason === 'expired' || reason === 'not_yet_valid') &&
    wall !== undefined &&
    relaxed.clock === undefined
  ) {
    return { ...relaxed, clock: { wall: () => wall, monotonic: () => performance.now() } }
  }
  return undefined
}
