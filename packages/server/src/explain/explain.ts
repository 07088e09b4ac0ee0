import {
  type AuthenticatedCaller,
  type CheckFacts,
  type Choice,
  type Logger,
  TokenBroker,
  type Transport,
  type Verdict,
} from '@broker/core'
import { optionRules } from '@broker/core/options'
import type { Config } from '../config/config.ts'
import { describeHint } from '../describe-hint.ts'
import { IssuerTransports } from '../issuer-transports.ts'
import type { RuleExplanation } from '../rules/rules.ts'
import type { ExplainRequest } from './explain-request.ts'
import { MadeUpIssuers } from './made-up-issuers.ts'
import { PlaceholderTokens, type ShownField } from './placeholder-tokens.ts'

/** The decision about a request, with the reasons. */
export interface Explained {
  /** `undefined` when the gate refused the caller, and without a gate. */
  readonly caller: AuthenticatedCaller | undefined
  /** Why the gate refused the JWT, for the operator. */
  readonly refusedJwt: string | undefined
  /** An instruction for the operator, when a part of the broker failed or the JWT does not fit the configuration. */
  readonly hint: string | undefined
  /** `undefined` without rules, and when no rule was asked. */
  readonly rules: readonly RuleExplanation[] | undefined
  readonly choice: Choice | undefined
  /** The name of the client whose token the request gets, as in `CheckFacts`; `undefined` without one. */
  readonly client: string | undefined
  /** The form that a token exchange would send to Dex; `undefined` without one. */
  readonly exchangeRequest: readonly ShownField[] | undefined
  readonly verdict: Verdict
}

/**
 * Decides about a request by the code of a check and tells how. Requests no token. With a JWT, keys are fetched from its issuer;
 * with claims, nothing is sent.
 *
 * Throws `WrongArguments` when the issuer of the claims is not clear.
 */
export async function explain(
  config: Config,
  { caller, method, path, headers, context }: ExplainRequest,
): Promise<Explained> {
  const found: { caller?: AuthenticatedCaller; rules?: readonly RuleExplanation[]; choice?: Choice } = {}
  const causes: LoggedCauses = {}
  const madeUp = new MadeUpIssuers(config.broker)
  const jwt = caller && ('jwt' in caller ? caller.jwt : madeUp.jwtOf(caller.claims, caller.issuer))
  const real = caller && 'jwt' in caller ? new IssuerTransports(config) : undefined
  const tokens = new PlaceholderTokens(Object.keys(config.broker.tokenHeaders ?? {}))
  const sending = (transport: Transport | undefined) =>
    tokens.around((real && transport) ?? real?.transport ?? madeUp.transport)
  const compiled = config.file?.rules?.compiled
  const broker = new TokenBroker({
    ...config.broker,
    ...(config.broker.issuers && {
      // An issuer without a transport may share the key set of Dex, as in the server.
      issuers: (real?.issuers ?? config.broker.issuers).map(issuer =>
        issuer.transport === undefined ? issuer : { ...issuer, transport: sending(issuer.transport) },
      ),
    }),
    ...(compiled && {
      chooseClient: (whom, request) => {
        const explanation = compiled.explain(whom, request)
        Object.assign(found, { caller: whom, ...explanation })
        return explanation.choice
      },
    }),
    transport: sending(undefined),
    logger: causesIn(causes),
    describeHint,
  })
  try {
    const { jwtHeader = optionRules['gate.jwtHeader'].default } = config.broker.gate ?? {}
    const lines = jwt === undefined ? headers : [...headers, jwtHeader, `Bearer ${jwt}`]
    const facts: CheckFacts = {}
    const verdict = await broker.check({ headers: lines, method, path, maskedPath: true, context, facts })
    if (found.caller === undefined && hasGate(config) && verdict.outcome === 'allow') {
      found.caller = await broker.authenticate({ headers: lines })
    }
    return {
      caller: found.caller,
      rules: found.rules,
      choice: found.choice,
      exchangeRequest: tokens.exchangeRequest,
      refusedJwt: causes.why,
      hint: causes.hint,
      client: facts.client,
      verdict,
    }
  } finally {
    await broker.close()
    await real?.close()
  }
}

/** Whether callers need a JWT. */
export function hasGate({ broker: { gate, issuers = [] } }: Config): boolean {
  return gate !== undefined || issuers.length > 0
}

interface LoggedCauses {
  why?: string
  hint?: string
}

/** A log that keeps the first reason for a refused JWT and the first hint. */
function causesIn(causes: LoggedCauses): Logger {
  const keep = (fields: { why?: unknown; hint?: unknown }) => {
    if (typeof fields.why === 'string') causes.why ??= fields.why
    if (typeof fields.hint === 'string') causes.hint ??= fields.hint
  }
  return { debug: keep, info() {}, warn: keep, error: keep }
}
