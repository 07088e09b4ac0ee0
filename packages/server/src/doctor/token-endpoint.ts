import { problemOfStatus } from '@broker/core/diagnosis'
import { shownUrl } from '@broker/core/options'
import { describeHint } from '../describe-hint.ts'
import { failed, ok, type Report, warning } from './check-result.ts'
import type { DoctorContext } from './doctor-context.ts'
import type { Upstream } from './upstream.ts'
import { askUpstream, kindOf, type UpstreamAnswer } from './upstream-answer.ts'

const name = 'token endpoint'
const grantName = 'grant'
export const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'

export interface TokenEndpointCheck {
  readonly upstream: Upstream
  readonly url: string
  readonly option: 'tokenEndpoint' | 'issuer'
  /** The grants that discovery lists; `undefined` when they are not known. */
  readonly grants: readonly string[] | undefined
  /** Whether rules exchange tokens. */
  readonly needsExchange: boolean
}

/**
 * Asks the token endpoint without credentials. Dex judges the grant before the client, so that its refusal tells whether it has
 * the grant. Returns the answer when the endpoint works.
 */
export async function checkTokenEndpoint(
  context: DoctorContext,
  { upstream, url, option, grants, needsExchange }: TokenEndpointCheck,
  report: Report,
): Promise<UpstreamAnswer | undefined> {
  const answer = await askUpstream(context, { upstream, url, option, form: 'grant_type=client_credentials' })
  const at = shownUrl(url)
  const path = upstream.optionPrefix + option
  if ('problem' in answer) {
    report(failed(name, `${at} ${answer.problem}`, answer.advice))
    return undefined
  }
  const { status } = answer
  const error = oauthErrorIn(answer.body)
  if (error === undefined || status >= 500) {
    const detail = `status ${status}`
    const problem = status === 200 ? 'not_dex' : problemOfStatus(status)
    report(
      failed(
        name,
        `${at} is not a token endpoint: ${kindOf(answer)}`,
        describeHint({ problem, option: path, detail }),
      ),
    )
    return undefined
  }
  report(ok(name, `${at} answers (${error} to a request without credentials)`))
  reportGrant({ error, grants, option: path }, report)
  if (needsExchange && grants !== undefined && !grants.includes(exchangeGrant)) {
    const hint = describeHint({ problem: 'exchange_not_supported', option: 'client' })
    report(
      failed('token exchange', 'discovery does not list the token-exchange grant, and rules use it', hint),
    )
  }
  return answer
}

function reportGrant(
  {
    error,
    grants,
    option,
  }: { readonly error: string; readonly grants: readonly string[] | undefined; readonly option: string },
  report: Report,
): void {
  const isListed = grants?.includes('client_credentials')
  if (error === 'unsupported_grant_type') {
    const fact = `Dex answers unsupported_grant_type${isListed === false ? ', and discovery does not list client_credentials' : ''}`
    report(failed(grantName, fact, describeHint({ problem: 'grant_not_supported', option })))
  } else if (isListed === false) {
    const fact = `discovery does not list client_credentials in grant_types_supported: ${grants?.join(', ')}`
    report(warning(grantName, fact, describeHint({ problem: 'grant_not_listed', option })))
  } else {
    report(ok(grantName, isListed ? 'client_credentials is listed and known' : 'client_credentials is known'))
  }
}

/** Only a well-formed error counts (RFC 6749 section 5.2). */
function oauthErrorIn(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { readonly error?: unknown }
    return typeof error === 'string' && /^[\w.-]{1,64}$/.test(error) ? error : undefined
  } catch {
    return undefined
  }
}
