import { BrokerError, type IssuedToken, type TokenRequest } from '@broker/core'
import { optionRules, shownUrl } from '@broker/core/options'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/config-error.ts'
import { configWithoutGate } from '../config/config-without-gate.ts'
import { fileReaderOf } from '../config/file/file-reader-of.ts'
import { formatMilliseconds } from '../config/values/milliseconds.ts'
import { brokerFailure } from '../doctor/doctor-broker.ts'
import { didYouMean } from '../nearest-name.ts'
import { configuredToken } from '../token/configured-token.ts'
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
  { minLifeMs, ...request }: HostEntry,
  { hostsFile, env, steps, signal }: TokenCall,
): Promise<string> {
  const { CONFIG_FILE: configFile } = env
  steps.begin(`reading the configuration${configFile ? ` in ${configFile}` : ''}`)
  const config = await readConfig(env)
  checkClient(request, config, hostsFile)
  steps.begin(`requesting a token from ${dexOf(config, request)}`)
  const token = await requested(config, request, signal)
  const lifeMs = Math.max(token.expiresAt - Date.now(), 0)
  if (lifeMs < minLifeMs) throw new HelperFailure(tooShort(lifeMs, minLifeMs, hostsFile))
  return token.accessToken
}

async function readConfig(env: NodeJS.ProcessEnv): Promise<Config> {
  const reader = await fileReaderOf(env)
  try {
    return configWithoutGate(env, reader)
  } catch (error) {
    throw error instanceof ConfigError ? new HelperFailure(error.message) : error
  }
}

function checkClient({ client }: TokenRequest, { broker }: Config, hostsFile: string): void {
  const names = Object.keys(broker.clients ?? {})
  if (client === undefined) {
    if (broker.client?.clientId !== undefined && broker.client.clientSecret !== undefined) return
    const clients = names.length === 0 ? '' : ` that the configuration file has: ${names.join(', ')}`
    throw new HelperFailure(
      `there is no default client; set STATIC_CLIENT_ID and STATIC_CLIENT_SECRET, or in ${hostsFile} name a client${clients}`,
    )
  }
  if (names.includes(client)) return
  throw new HelperFailure(
    `${hostsFile} names the client ${JSON.stringify(client)}, which the configuration file does not have${didYouMean(client, names)}`,
  )
}

/** The Dex of a client, without credentials in its URL. */
function dexOf({ broker }: Config, { client }: TokenRequest): string {
  const dex = client === undefined ? undefined : broker.clients?.[client]?.dex
  const { tokenEndpoint, issuer } = broker.issuers?.find(({ name }) => name === dex) ?? broker
  return shownUrl(tokenEndpoint ?? issuer ?? '')
}

async function requested(given: Config, request: TokenRequest, signal: AbortSignal): Promise<IssuedToken> {
  const { requestTimeoutMs = maxRequestTimeoutMs } = given.broker
  const timeoutMs = Math.min(requestTimeoutMs, maxRequestTimeoutMs)
  const config = { ...given, broker: { ...given.broker, requestTimeoutMs: timeoutMs } }
  try {
    return await configuredToken(config, request, signal)
  } catch (error) {
    if (!BrokerError.is(error)) throw error
    const { fact, advice } = brokerFailure(error, { timeoutMs, config })
    throw new HelperFailure(advice === undefined ? fact : `${fact}\n${advice}`)
  }
}

/** OpenTofu and Terraform never ask again: a run that outlives its token fails in the middle. */
function tooShort(lifeMs: number, minLifeMs: number, hostsFile: string): string {
  const life = formatMilliseconds(Math.floor(lifeMs / 1_000) * 1_000)
  return `the token expires in ${life}, and a run may need ${formatMilliseconds(minLifeMs)}; raise expiry.idTokens in Dex, or lower minLife in ${hostsFile}`
}
