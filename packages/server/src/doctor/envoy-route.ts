import { randomUUID } from 'node:crypto'
import { isExposedUrl, optionRules, shownUrl } from '@broker/core/options'
import { hasGate } from '../explain/explain.ts'
import { failed, ok, type Report, skipped, warning } from './check-result.ts'
import type { DoctorContext } from './doctor-context.ts'
import { type Answerer, answererOf, askEnvoy, brokerErrorOf, type EnvoyAnswer } from './envoy-answer.ts'

/** The arguments of `--envoy`. */
export interface EnvoyRoute {
  /** URL of a path behind Envoy. */
  readonly url: string
  /** A JWT that the gate accepts, for a request that passes. */
  readonly jwt: string | undefined
  /** The name of a configured client whose credentials are sent, or the credentials of a caller. */
  readonly client: string | CallerCredentials | undefined
}

/** Credentials as callers send them. */
export interface CallerCredentials {
  readonly clientId: string
  readonly clientSecret: string
}

const askName = 'ext_authz'
/** A tab is legal in a header and refused in credentials, so that the refusal names the header that arrived. */
const unusable = 'doctor\tprobe'

/** Sends requests through Envoy and tells from the answers how its ext_authz filter is set. */
export async function checkEnvoyRoute(
  context: DoctorContext,
  route: EnvoyRoute,
  report: Report,
): Promise<void> {
  const { url } = route
  const answer = await askEnvoy(context, url, {})
  if (typeof answer === 'string') {
    report(
      failed(
        askName,
        `${shownUrl(url)} ${answer}`,
        'check the address and the port of the listener of Envoy',
      ),
    )
    return
  }
  if (!reportAnswerer(context, answer, report)) return
  if (hasGate(context.config)) await checkJwtHeader(context, url, report)
  else await checkCredentialHeaders(context, url, report)
  await checkPassing(context, route, report)
}

/** Returns whether Envoy asks the broker. */
function reportAnswerer(context: DoctorContext, answer: EnvoyAnswer, report: Report): boolean {
  const { status } = answer
  const answerer = answererOf(answer)
  if (answerer === 'broker') {
    const refusal = brokerErrorOf(answer.body)
    const text = refusal === undefined ? '' : `: ${refusal.error}, ${refusal.description}`
    report(ok(askName, `the broker answers a request without credentials, status ${status}${text}`))
    if (refusal === undefined) {
      report(
        warning(
          'body of refusals',
          'does not reach the client',
          'let Envoy and what is in front of it pass the body of a refusal',
        ),
      )
    }
    return true
  }
  if (answerer === 'backend' && hasOpenClient(context)) {
    report(
      ok(
        askName,
        `a request without credentials passes, status ${status}: the configured client serves every caller`,
      ),
    )
    return true
  }
  const { fact, advice } = failures[answerer]
  report(failed(askName, `${fact} (status ${status})`, advice))
  return false
}

const failures: Readonly<
  Record<Exclude<Answerer, 'broker'>, { readonly fact: string; readonly advice: string }>
> = {
  'broker outside /check': {
    fact: 'Envoy asks the broker outside /check',
    advice: 'set http_service.path_prefix to /check (path or pathOverride in a SecurityPolicy)',
  },
  Envoy: {
    fact: 'the answer is empty: Envoy has no answer of the broker, or one with a status from 500',
    advice:
      'check that the cluster of ext_authz has the address of the broker and that the broker runs, then its log; status_on_error sets this status, which is 403 by default',
  },
  'broker itself': {
    fact: 'the answer is a check: this is the address of the broker, not of Envoy',
    advice: 'give --envoy the URL of a path behind Envoy',
  },
  backend: {
    fact: 'a request without credentials passes',
    advice:
      'add the filter envoy.filters.http.ext_authz before the router, for this route too, with failure_mode_allow: false (failOpen: false in a SecurityPolicy); if Envoy redirects, give --envoy the final URL',
  },
}

function hasOpenClient({ config }: DoctorContext): boolean {
  const { client } = config.broker
  return !hasGate(config) && client?.clientId !== undefined && client.clientSecret !== undefined
}

async function checkJwtHeader(context: DoctorContext, url: string, report: Report): Promise<void> {
  const header = context.config.broker.gate?.jwtHeader ?? optionRules['gate.jwtHeader'].default
  const name = `header ${header}`
  const answer = await askEnvoy(context, url, { [header]: 'Bearer doctor.doctor.doctor' })
  const challenge = typeof answer === 'string' ? undefined : answer.header('www-authenticate')
  if (challenge?.includes('error="invalid_token"')) report(ok(name, 'reaches the broker'))
  else if (challenge === undefined)
    report(warning(name, 'cannot be tested: the answer has no WWW-Authenticate'))
  else report(failed(name, 'does not reach the broker', forwardAdvice(header)))
}

async function checkCredentialHeaders(context: DoctorContext, url: string, report: Report): Promise<void> {
  const { credentialHeaders = {}, client = {} } = context.config.broker
  for (const part of ['clientId', 'clientSecret', 'scope'] as const) {
    const header = credentialHeaders[part] ?? optionRules[`credentialHeaders.${part}`].default
    const name = `header ${header}`
    if (client[part] !== undefined) {
      report(skipped(name, 'not needed, because the configuration has its value'))
      continue
    }
    const answer = await askEnvoy(context, url, { [header]: unusable })
    const refusal = typeof answer === 'string' ? undefined : brokerErrorOf(answer.body)
    if (refusal?.error === 'invalid_request' && refusal.description.includes(header))
      report(ok(name, 'reaches the broker'))
    else if (refusal?.error === 'missing_credentials')
      report(failed(name, 'does not reach the broker', forwardAdvice(header)))
    else report(warning(name, `cannot be tested: ${refusal?.error ?? 'no answer of the broker'}`))
  }
}

function forwardAdvice(header: string): string {
  return `add ${header} to allowed_headers of ext_authz (headersToExtAuth in a SecurityPolicy)`
}

const passName = 'passing request'

async function checkPassing(context: DoctorContext, route: EnvoyRoute, report: Report): Promise<void> {
  const { credentialHeaders = {}, clients = {}, client: own, gate } = context.config.broker
  const nonce = randomUUID()
  const headers: Record<string, string> = { 'x-doctor-probe': nonce }
  let secret: string | undefined
  if (hasGate(context.config)) {
    if (route.jwt === undefined) {
      report(skipped(passName, 'needs a JWT that the gate accepts: add --jwt-file'))
      return
    }
    headers[gate?.jwtHeader ?? optionRules['gate.jwtHeader'].default] = `Bearer ${route.jwt}`
  } else if (!hasOpenClient(context)) {
    const client =
      typeof route.client === 'string' ? { default: own, ...clients }[route.client] : route.client
    if (client?.clientId === undefined || typeof client.clientSecret !== 'string') {
      report(
        skipped(
          passName,
          'needs credentials: add --client-id and --client-secret-file of a caller, or --client with the name of a configured client',
        ),
      )
      return
    }
    secret = client.clientSecret
    const name = (part: 'clientId' | 'clientSecret') =>
      credentialHeaders[part] ?? optionRules[`credentialHeaders.${part}`].default
    Object.assign(headers, { [name('clientId')]: client.clientId, [name('clientSecret')]: secret })
  }
  const isSecret = secret !== undefined || route.jwt !== undefined
  if (isSecret && isExposedUrl(new URL(route.url)) && context.config.broker.allowInsecureUrls !== true) {
    report(
      skipped(
        passName,
        'credentials are not sent over plain http; use https, or ALLOW_INSECURE_DEX_URL=true',
      ),
    )
    return
  }
  const answer = await askEnvoy(context, route.url, headers)
  if (typeof answer === 'string') report(failed(passName, answer))
  else reportPassing(context, { answer, nonce, secret }, report)
}

interface Passing {
  readonly answer: EnvoyAnswer
  /** In the answer only when the backend echoes the headers of requests. */
  readonly nonce: string
  readonly secret: string | undefined
}

function reportPassing({ config }: DoctorContext, { answer, nonce, secret }: Passing, report: Report): void {
  const { status, body } = answer
  const answerer = answererOf(answer)
  if (answerer !== 'backend') {
    const refusal = brokerErrorOf(body)
    // Not its description: who answers may not be the broker, and may repeat what it was sent.
    const text =
      refusal === undefined ? `the answer is of ${answerer}` : `the broker refuses it: ${refusal.error}`
    const advice =
      refusal?.error === 'token_request_rejected'
        ? "compare the client's id, secret and scope with the client in Dex"
        : 'the log of the broker has the reason and a hint'
    report(failed(passName, `${text} (status ${status})`, advice))
    return
  }
  const header = config.broker.authorizationHeader ?? optionRules.authorizationHeader.default
  if (!body.includes(nonce)) {
    report(
      status === 401 || status === 403
        ? failed(
            passName,
            `the backend answers status ${status}`,
            `add ${header} to allowed_upstream_headers of authorization_response (headersToBackend in a SecurityPolicy); if it is there, compare the audience of the token with the audience that the backend expects`,
          )
        : ok(
            passName,
            `the backend answers status ${status}; only an echo backend shows the headers that it gets`,
          ),
    )
    return
  }
  report(
    /Bearer\s+[\w-]+\.[\w-]+\.[\w-]+/i.test(body)
      ? ok(passName, `the backend gets a token, status ${status}`)
      : failed(
          passName,
          'the backend gets no token',
          `add ${header} to allowed_upstream_headers of authorization_response (headersToBackend in a SecurityPolicy)`,
        ),
  )
  if (secret === undefined) return
  report(
    body.includes(secret)
      ? failed(
          'client secret',
          'reaches the backend',
          'set STRIP_CREDENTIAL_HEADERS=true, and let no filter add the header behind ext_authz',
        )
      : ok('client secret', 'does not reach the backend'),
  )
}
