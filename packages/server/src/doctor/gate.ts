import { optionRules } from '@broker/core/options'
import type { Config } from '../config/config.ts'
import { hasGate } from '../explain/explain.ts'
import { type CheckResult, failed, ok, type Report, warning } from './check-result.ts'
import type { DoctorContext } from './doctor-context.ts'

const name = 'gate'

/** Says whose JWTs the gate accepts. Without a gate, fails when callers get a token that is not theirs and nobody allowed that. */
export function checkGate({ config }: DoctorContext, report: Report): void {
  const { gate, issuers, issuer } = config.broker
  if (!hasGate(config)) {
    report(withoutGate(config))
    return
  }
  const header = gate?.jwtHeader ?? optionRules['gate.jwtHeader'].default
  if (issuers === undefined) {
    const audiences = [gate?.audience ?? []].flat()
    const iss = gate?.issuer ?? issuer
    const fact = `accepts JWTs in ${header} of ${iss ?? 'any issuer with a key of the key set'} for ${audiences.join(', ') || 'any audience'}`
    report(
      audiences.length === 0
        ? warning(name, fact, 'set JWT_AUDIENCE: without it JWTs for other services pass')
        : ok(name, fact),
    )
    return
  }
  for (const each of issuers) {
    const audiences = [each.audiences ?? []].flat()
    const fact = `accepts JWTs in ${header} for ${audiences.join(', ') || 'any audience'}`
    const issuerName = `${name} ${each.name}`
    report(
      audiences.length === 0
        ? warning(
            issuerName,
            fact,
            `set audiences of the issuer ${each.name}: without it JWTs for other services pass`,
          )
        : ok(issuerName, fact),
    )
  }
}

function withoutGate({ broker: { client = {} }, allowUnauthenticatedCallers }: Config): CheckResult {
  if (allowUnauthenticatedCallers) {
    return ok(
      name,
      'none, and ALLOW_UNAUTHENTICATED_CALLERS=true lets callers have tokens of configured clients',
    )
  }
  if (client.clientSecret === undefined) {
    return ok(name, 'none: callers authenticate by their own client credentials')
  }
  return failed(
    name,
    client.clientId === undefined
      ? 'none: every caller that knows the client id receives a token by the configured secret'
      : 'none: every caller receives the token of the configured client',
    'set JWT_AUDIENCE, with DEX_ISSUER or JWKS_URL; if every caller may have that token, set ALLOW_UNAUTHENTICATED_CALLERS=true',
  )
}
