import { BrokerError, type DefaultClient, type TokenBroker } from '@broker/core'
import { decodeJwt } from '@broker/core/diagnosis'
import { hasGate } from '../explain/explain.ts'
import { type CheckResult, failed, warning } from './check-result.ts'
import { refusalText } from './doctor-broker.ts'
import type { DoctorContext } from './doctor-context.ts'
import { durationText } from './duration-text.ts'
import { shownList, shownValue } from './shown-value.ts'
import type { FoundUpstream } from './upstream-checks.ts'

export interface TokenToCheck {
  readonly context: DoctorContext
  readonly broker: TokenBroker
  readonly client: DefaultClient
  readonly upstream: FoundUpstream
  readonly token: string
  readonly lifeMs: number
}

export interface TokenClaimsResult {
  readonly verdict: 'ok' | 'warning'
  readonly fact: string
  readonly advice?: string
  readonly problems: readonly CheckResult[]
}

/** Looks into a token as a backend would: its claims, its signature, and whether the broker's own gate accepts it. */
export async function checkTokenClaims(order: TokenToCheck): Promise<TokenClaimsResult> {
  const { token, lifeMs } = order
  const decoded = decodeJwt(token)
  const life = `issued, expires in ${durationText(lifeMs)}`
  if (decoded === undefined) {
    return {
      verdict: 'warning',
      fact: `${life}; it is opaque, so that its claims and its key cannot be checked`,
      advice:
        'backends must ask the issuer about it (introspection); Dex issues JWTs, so check what answered',
      problems: [],
    }
  }
  const { header, claims } = decoded
  const parts = [
    life,
    `aud ${shownList(claims['aud'])}`,
    ...(claims['groups'] === undefined ? [] : [`groups ${shownList(claims['groups'])}`]),
    `kid ${shownValue(header['kid'])}`,
    ...(await gateText(order)),
  ]
  return { verdict: 'ok', fact: parts.join('; '), problems: await problemsOf(order, claims) }
}

async function problemsOf(
  { client, upstream, token }: TokenToCheck,
  claims: Readonly<Record<string, unknown>>,
): Promise<readonly CheckResult[]> {
  const problems: CheckResult[] = []
  const signature = await upstream.keys?.signatureProblem(token)
  if (signature !== undefined) {
    problems.push(
      failed(
        'signature',
        `no key of the key set verifies the token: ${signature}`,
        'check that DEX_JWKS_URL and DEX_TOKEN_URL belong to the same Dex, and that nothing caches the key set',
      ),
    )
  }
  if (upstream.issuer !== undefined && claims['iss'] !== upstream.issuer) {
    problems.push(
      warning(
        'iss',
        `the token names the issuer ${shownValue(claims['iss'])}, expected is ${upstream.issuer}`,
        `set DEX_ISSUER to exactly ${shownValue(claims['iss'])}`,
      ),
    )
  }
  const audiences = [claims['aud']].flat()
  const missing = (client.audiences ?? []).filter(audience => !audiences.includes(audience))
  if (missing.length > 0) {
    problems.push(
      warning(
        'aud',
        `the token is not for ${missing.join(', ')}`,
        'add this client to the trustedPeers of each of them in Dex',
      ),
    )
  }
  const groups = claims['groups']
  if (client.scope?.split(' ').includes('groups') && !(Array.isArray(groups) && groups.length > 0)) {
    problems.push(
      warning(
        'groups',
        'the scope has groups, and the token has none',
        'set clientCredentialsClaims.groups of the client in the configuration of Dex, or remove groups from the scope',
      ),
    )
  }
  return problems
}

/** The tokens are for backends; callers of this broker may well have others. */
async function gateText({ context, broker, token }: TokenToCheck): Promise<readonly string[]> {
  if (!hasGate(context.config)) return []
  try {
    await broker.verify(token, { signal: context.signal })
    return ['the gate would accept it']
  } catch (error) {
    if (!BrokerError.is(error)) throw error
    return [`the gate would refuse it: ${refusalText(error)}`]
  }
}
