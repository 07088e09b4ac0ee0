import type { IssuedToken, TokenRequest } from '@broker/core'
import { optionRules, shownUrl } from '@broker/core/options'
import { exitStatus } from '../command-line/exit-status.ts'
import type { Config } from '../config/config.ts'
import { configWithoutGate } from '../config/config-without-gate.ts'
import { fileReaderOf } from '../config/file/file-reader-of.ts'
import { formatMilliseconds } from '../config/values/milliseconds.ts'
import { quoteValue } from '../config/values/quote-value.ts'
import { didYouMean } from '../nearest-name.ts'
import { configuredToken } from '../token/configured-token.ts'
import { type TokenFailure, tokenFailure } from '../token/token-failure.ts'
import { HelperFailure } from './helper-failure.ts'
import type { HostEntry } from './hosts-file.ts'
import type { Steps } from './steps.ts'

/** For each request, less than the time of the helper, so that a failure is told with its cause. */
const maxRequestTimeoutMs = optionRules.requestTimeoutMs.default

/** The call in which a host gets its token. */
export interface TokenCall {
  readonly hostsFile: string
  readonly env: NodeJS.ProcessEnv
  readonly steps: Steps
  readonly signal: AbortSignal
}

/** Requests the token of an entry of the hosts file. Rejects with {@link HelperFailure}, or with the reason of the signal. */
export async function tokenOfEntry(
  { minRemainingMs, ...request }: HostEntry,
  { hostsFile, env, steps, signal }: TokenCall,
): Promise<string> {
  const { CONFIG_FILE: configFile } = env
  steps.begin(`reading the configuration${configFile ? ` in ${configFile}` : ''}`)
  const config = await readConfig(env)
  checkClient(request, config, { hostsFile, configFile })
  steps.begin(`requesting a token from ${dexOf(config, request)}`)
  const token = await requested(config, request, { hostsFile, signal })
  const lifeMs = Math.max(token.expiresAt - Date.now(), 0)
  if (lifeMs < minRemainingMs) throw tooShort(lifeMs, minRemainingMs, hostsFile)
  return token.accessToken
}

async function readConfig(env: NodeJS.ProcessEnv): Promise<Config> {
  const reader = await fileReaderOf(env)
  try {
    return configWithoutGate(env, reader)
  } catch (error) {
    throw helperFailure(tokenFailure(error))
  }
}

function checkClient(
  { client = 'default' }: TokenRequest,
  { broker }: Config,
  { hostsFile, configFile }: { readonly hostsFile: string; readonly configFile: string | undefined },
): void {
  const names = Object.keys(broker.clients ?? {})
  if (names.includes(client)) return
  if (client !== 'default') {
    if (!configFile)
      throw new HelperFailure(
        `${hostsFile} names the client ${quoteValue(client)}, but there is no configuration file\nset --config or CONFIG_FILE`,
      )
    throw new HelperFailure(
      `${hostsFile} names the client ${quoteValue(client)}, which the configuration does not have${didYouMean(client, names)}`,
    )
  }
  if (broker.client?.clientId !== undefined && broker.client.clientSecret !== undefined) return
  const known = names.length === 0 ? '' : `: ${names.join(', ')}`
  throw new HelperFailure(
    `there is no default client\nset STATIC_CLIENT_ID and STATIC_CLIENT_SECRET_FILE, or name a client of the configuration file in ${hostsFile}${known}`,
  )
}

/** The Dex of a client, without credentials in its URL. */
function dexOf({ broker }: Config, { client = 'default' }: TokenRequest): string {
  const dex = broker.clients?.[client]?.dex
  const { tokenEndpoint, issuer } = broker.issuers?.find(({ name }) => name === dex) ?? broker
  return shownUrl(tokenEndpoint ?? issuer ?? '')
}

async function requested(
  given: Config,
  request: TokenRequest,
  { hostsFile, signal }: Pick<TokenCall, 'hostsFile' | 'signal'>,
): Promise<IssuedToken> {
  const { requestTimeoutMs = maxRequestTimeoutMs } = given.broker
  const timeoutMs = Math.min(requestTimeoutMs, maxRequestTimeoutMs)
  const config = { ...given, broker: { ...given.broker, requestTimeoutMs: timeoutMs } }
  try {
    return await configuredToken(config, request, signal)
  } catch (error) {
    if (error === signal.reason) throw error
    const places = { scope: `scope in ${hostsFile}`, audiences: `audiences in ${hostsFile}` }
    throw helperFailure(tokenFailure(error, { config, timeoutMs, requested: { request, places } }))
  }
}

/** OpenTofu and Terraform never ask again: a run that outlives its token fails in the middle. */
function tooShort(lifeMs: number, minRemainingMs: number, hostsFile: string): HelperFailure {
  const life = formatMilliseconds(Math.floor(lifeMs / 1_000) * 1_000)
  const wanted = formatMilliseconds(minRemainingMs)
  return new HelperFailure(
    `the token of Dex expires in ${life}, earlier than minRemaining allows: ${wanted}\nraise expiry.idTokens in Dex, or lower minRemaining in ${hostsFile}`,
    exitStatus.refused,
  )
}

function helperFailure({ text, exitCode: code }: TokenFailure): HelperFailure {
  return new HelperFailure(text, { code })
}
