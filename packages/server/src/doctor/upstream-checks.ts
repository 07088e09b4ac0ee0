import type { KeySetReading } from '@broker/core/diagnosis'
import { type Report, skipped, warning } from './check-result.ts'
import { checkClock } from './clock-skew.ts'
import { checkDiscovery, type Discovered } from './discovery.ts'
import type { DoctorContext } from './doctor-context.ts'
import { checkHost, type WantedHost } from './host.ts'
import { checkKeySet } from './key-set.ts'
import { checkTokenEndpoint } from './token-endpoint.ts'
import type { Upstream } from './upstream.ts'
import { noAnswerOf, type UpstreamAnswer } from './upstream-answer.ts'

/** The facts about an upstream that other groups need. */
export interface FoundUpstream {
  /** Whether its token endpoint answers. */
  readonly hasTokenEndpoint: boolean
  readonly keys: KeySetReading | undefined
  /** The expected or the discovered issuer. */
  readonly issuer: string | undefined
}

interface Endpoint<Option extends string> {
  readonly url: string
  readonly option: Option | 'issuer'
}

/** Checks one upstream: the way to it, discovery, its keys, its clock and its token endpoint. */
export async function checkUpstream(
  context: DoctorContext,
  upstream: Upstream,
  report: Report,
): Promise<FoundUpstream> {
  const reachable = new Map<string, boolean>()
  /** The way to each server is checked once, whatever comes from it. */
  const reaches = async (url: string, option: string) => {
    const { origin } = new URL(url)
    const known =
      reachable.get(origin) ?? (await checkHost(context, hostOf(context, upstream, url, option), report))
    reachable.set(origin, known)
    return known
  }
  const answers: UpstreamAnswer[] = []
  const { discoveryUrl } = upstream
  let discovered: Discovered | undefined
  if (discoveryUrl !== undefined) {
    if (await reaches(discoveryUrl, 'issuer')) {
      discovered = await checkDiscovery(context, { ...upstream, discoveryUrl }, report)
    } else report(skipped('discovery', 'the server cannot be reached'))
  }
  if (discovered !== undefined) answers.push(discovered.answer)

  const keyEndpoint = endpointOf('jwksUri', upstream, discovered)
  const loaded =
    keyEndpoint !== undefined && (await reaches(keyEndpoint.url, keyEndpoint.option))
      ? await checkKeySet(context, { upstream, ...keyEndpoint }, report)
      : reportNoKeySet(upstream, keyEndpoint, report)
  if (loaded !== undefined) answers.push(loaded.answer)

  const tokenEndpoint = upstream.issuesTokens ? endpointOf('tokenEndpoint', upstream, discovered) : undefined
  let tokenAnswer: UpstreamAnswer | undefined
  if (tokenEndpoint !== undefined && (await reaches(tokenEndpoint.url, tokenEndpoint.option))) {
    const needsExchange = upstream.optionPrefix === '' && (context.config.file?.exchanges ?? []).length > 0
    tokenAnswer = await checkTokenEndpoint(
      context,
      { upstream, ...tokenEndpoint, grants: discovered?.grants, needsExchange },
      report,
    )
  } else if (upstream.issuesTokens) report(skipped('token endpoint', lacking(tokenEndpoint)))
  if (tokenAnswer !== undefined) answers.push(tokenAnswer)

  if (answers.length > 0) checkClock(answers, report)
  return {
    hasTokenEndpoint: tokenAnswer !== undefined,
    keys: loaded?.keys,
    issuer: upstream.issuer ?? discovered?.issuer,
  }
}

function hostOf(
  { transports }: DoctorContext,
  { optionPrefix, trusted, trustSetting }: Upstream,
  url: string,
  option: string,
): WantedHost {
  const { protocol, hostname, port } = new URL(url)
  const path = optionPrefix + option
  const tls = protocol === 'https:'
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (tls ? 443 : 80),
    tls,
    option: path,
    proxy: transports.proxyOf(url),
    trusted,
    trustSetting,
    adviceFor: code => noAnswerOf(code, path, trustSetting).advice,
  }
}

function endpointOf<Option extends 'jwksUri' | 'tokenEndpoint'>(
  option: Option,
  upstream: Upstream,
  discovered: Discovered | undefined,
): Endpoint<Option> | undefined {
  const configured = upstream[option]
  if (configured !== undefined) return { url: configured, option }
  const found = discovered?.[option]
  return found !== undefined && URL.canParse(found) ? { url: found, option: 'issuer' } : undefined
}

function reportNoKeySet(upstream: Upstream, endpoint: unknown, report: Report): undefined {
  if (endpoint !== undefined || upstream.discoveryUrl !== undefined) {
    report(skipped('key set', lacking(endpoint)))
  } else {
    report(
      warning(
        'key set',
        'not known: tokens whose key Dex has lost are served until they expire',
        'set DEX_ISSUER instead of DEX_TOKEN_URL, or DEX_JWKS_URL beside it',
      ),
    )
  }
}

function lacking(endpoint: unknown): string {
  return endpoint === undefined ? 'its URL comes from discovery' : 'its server cannot be reached'
}
