import { problemOfStatus } from '@broker/core/diagnosis'
import { isExposedUrl, shownUrl } from '@broker/core/options'
import { variableOf } from '../config/schema/variable-of.ts'
import { describeHint } from '../describe-hint.ts'
import { failed, ok, type Report, warning } from './check-result.ts'
import type { DoctorContext } from './doctor-context.ts'
import { isOnAnotherHost, issuerDifference } from './issuer-difference.ts'
import type { Upstream } from './upstream.ts'
import { askUpstream, kindOf, type UpstreamAnswer } from './upstream-answer.ts'

/** The content of a discovery document. */
export interface Discovered {
  readonly answer: UpstreamAnswer
  readonly issuer: string
  readonly tokenEndpoint: string | undefined
  readonly jwksUri: string | undefined
  /** `undefined` when the document does not list them. */
  readonly grants: readonly string[] | undefined
}

const name = 'discovery'

/** Checks the discovery document, and compares its issuer to the letter. */
export async function checkDiscovery(
  context: DoctorContext,
  upstream: Upstream & { readonly discoveryUrl: string },
  report: Report,
): Promise<Discovered | undefined> {
  const { discoveryUrl: url, optionPrefix } = upstream
  const answer = await askUpstream(context, { upstream, url, option: 'issuer' })
  const at = shownUrl(url)
  const option = `${optionPrefix}issuer`
  if ('problem' in answer) {
    report(failed(name, `${at} ${answer.problem}`, answer.advice))
    return undefined
  }
  const document = answer.status === 200 ? objectIn(answer.body) : undefined
  if (document === undefined) {
    const problem =
      answer.status === 200 || answer.status === 404
        ? 'no_discovery_document'
        : problemOfStatus(answer.status)
    const detail = problem === 'no_discovery_document' ? at : `status ${answer.status}`
    report(
      failed(
        name,
        `${at} is not a discovery document: ${kindOf(answer)}`,
        describeHint({ problem, option, detail }),
      ),
    )
    return undefined
  }
  const issuer = textOf(document['issuer'])
  if (issuer === undefined || (upstream.issuer !== undefined && issuer !== upstream.issuer)) {
    report(otherIssuer(upstream, issuer, option))
    return undefined
  }
  const tokenEndpoint = textOf(document['token_endpoint'])
  const jwksUri = textOf(document['jwks_uri'])
  const grants = document['grant_types_supported']
  const found = {
    answer,
    issuer,
    tokenEndpoint,
    jwksUri,
    grants: Array.isArray(grants) ? grants.map(String) : undefined,
  }
  report(ok(name, `${at} names the issuer ${issuer}`))
  for (const [endpoint, value] of Object.entries({ tokenEndpoint, jwksUri })) {
    const problem = endpointProblem(context, upstream, endpoint as 'tokenEndpoint' | 'jwksUri', value)
    if (problem !== undefined) report(problem)
  }
  return found
}

function otherIssuer(upstream: Upstream, found: string | undefined, option: string) {
  const { issuer: expected = '' } = upstream
  if (found === undefined) {
    return failed(
      name,
      'the discovery document names no issuer',
      describeHint({ problem: 'other_issuer', option }),
    )
  }
  const setting = variableOf(option)
  const fact = `the document names the issuer ${found}, ${setting} is ${expected}: ${issuerDifference(expected, found)}`
  if (!isOnAnotherHost(expected, found)) return failed(name, fact, `set ${setting} to exactly ${found}`)
  const [token, keys] = ['tokenEndpoint', 'jwksUri'].map(each => variableOf(upstream.optionPrefix + each))
  return failed(
    name,
    fact,
    `set ${setting} to exactly ${found}; where that URL is not reachable from here, set ${token} and ${keys} to the address that is`,
  )
}

function endpointProblem(
  { config }: DoctorContext,
  upstream: Upstream,
  endpoint: 'tokenEndpoint' | 'jwksUri',
  url: string | undefined,
) {
  if (upstream[endpoint] !== undefined || (endpoint === 'tokenEndpoint' && !upstream.issuesTokens))
    return undefined
  const field = endpoint === 'tokenEndpoint' ? 'token_endpoint' : 'jwks_uri'
  const setting = variableOf(upstream.optionPrefix + endpoint)
  if (url === undefined || !URL.canParse(url)) {
    return failed(field, 'the discovery document has none', `set ${setting}`)
  }
  if (isExposedUrl(new URL(url)) && config.broker.allowInsecureUrls !== true) {
    const option = `${upstream.optionPrefix}issuer`
    return failed(
      field,
      `${shownUrl(url)} is not https`,
      describeHint({ problem: 'unusable_discovery_document', option }),
    )
  }
  if (upstream.discoveryUrl !== undefined && new URL(url).origin !== new URL(upstream.discoveryUrl).origin) {
    return warning(
      field,
      `${shownUrl(url)} is at another address than the discovery document`,
      `set ${setting} if this host cannot reach it`,
    )
  }
  return undefined
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Shortened: no real value is longer. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, 1_024) : undefined
}
