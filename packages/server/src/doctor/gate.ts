import { optionRules } from '@broker/core/options'
import { hasGate } from '../explain/explain.ts'
import { ok, type Report, warning } from './check-result.ts'
import type { DoctorContext } from './doctor-context.ts'

const name = 'gate'

/** Says whose JWTs the gate accepts; warns when there is no gate. */
export function checkGate({ config }: DoctorContext, report: Report): void {
  const { gate, issuers, issuer, client } = config.broker
  if (!hasGate(config)) {
    const hasClient = client?.clientId !== undefined && client.clientSecret !== undefined
    report(
      warning(
        name,
        hasClient
          ? 'none: every caller receives the token of the configured client'
          : 'none: callers authenticate by their own client credentials',
        hasClient
          ? 'set JWT_AUDIENCE, with DEX_ISSUER or JWKS_URL'
          : 'nothing, if that is intended; JWT_AUDIENCE turns the gate on',
      ),
    )
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
