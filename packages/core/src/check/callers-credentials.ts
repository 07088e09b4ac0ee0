import { type ConfiguredClient, canAuthenticate, isComplete } from '../clients/client.ts'
import type { TokenRequest } from '../clients/token-request.ts'
import { BrokerError } from '../shared/errors.ts'
import { logText } from '../shared/log-text.ts'
import { loggedRefusal } from '../shared/logged-refusals.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import { type BasicCredentials, basicCredentials } from './basic-credentials.ts'
import { type CredentialHeaderNames, type CredentialHeaders, singleValue } from './credential-headers.ts'
import { missingCredentials, missingParts } from './missing-credentials.ts'

/** The client ids and scopes that callers may use in their own headers; `undefined` permits any. */
export interface AllowedCredentials {
  readonly clientIds: readonly string[] | undefined
  readonly scopes: readonly string[] | undefined
}

const vschar = /^[\x20-\x7e]*$/

/** Reads from a request's headers the parts of a client that are not configured. */
export class CallersCredentials {
  readonly #surroundings: Surroundings
  readonly #names: CredentialHeaderNames
  readonly #allowed: AllowedCredentials

  /** `allowed` holds where a call does not bring other lists. */
  constructor(surroundings: Surroundings, names: CredentialHeaderNames, allowed: AllowedCredentials) {
    this.#surroundings = surroundings
    this.#names = names
    this.#allowed = allowed
  }

  /**
   * Returns the missing parts of a client; an empty header counts as absent. Throws `missing_credentials`, `invalid_request`, or
   * `forbidden` for a client id or scope that is not allowed.
   */
  missingPartsOf(
    configured: Pick<ConfiguredClient, 'clientId' | 'clientSecret' | 'authentication' | 'scope'>,
    headers: CredentialHeaders,
    allowed: Partial<AllowedCredentials> = this.#allowed,
  ): TokenRequest {
    const names = this.#names
    const hasSecret = canAuthenticate(configured)
    const basic =
      names.basic === undefined || isComplete(configured) ? undefined : this.#basicIn(headers, names.basic)
    const request = {
      clientId: configured.clientId
        ? undefined
        : (basic?.clientId ?? credential(headers.clientId, names.clientId).trim()) || undefined,
      clientSecret: hasSecret
        ? undefined
        : (basic?.clientSecret ?? credential(headers.clientSecret, names.clientSecret)) || undefined,
      scope:
        configured.scope === undefined
          ? credential(headers.scope, names.scope).trim() || undefined
          : undefined,
    }
    const { clientIds = this.#allowed.clientIds, scopes = this.#allowed.scopes } = allowed
    if (clientIds !== undefined && request.clientId !== undefined)
      this.#assertClientId(request.clientId, clientIds)
    if (scopes !== undefined && request.scope !== undefined) this.#assertScopes(request.scope, scopes)
    if (
      (request.clientId ?? configured.clientId) === undefined ||
      (request.clientSecret === undefined && !hasSecret)
    ) {
      throw missingCredentials(missingParts(configured, request), {
        names,
        isInBasic: basic !== undefined,
        surroundings: this.#surroundings,
      })
    }
    return request
  }

  /** Credentials in two places are refused: another receiver could take the other ones. */
  #basicIn(headers: CredentialHeaders, name: string): BasicCredentials | undefined {
    const basic = basicCredentials(singleValue(headers.basic, name))
    if (basic === undefined) return undefined
    for (const part of ['clientId', 'clientSecret'] as const) {
      if (singleValue(headers[part], this.#names[part]) !== '') {
        throw new BrokerError(
          'invalid_request',
          `client credentials are in ${name} and in ${this.#names[part]}`,
        )
      }
    }
    return basic
  }

  #assertClientId(clientId: string, allowed: readonly string[]): void {
    if (!allowed.includes(clientId)) throw this.#notAllowed({ clientId: logText(clientId) }, 'the client id')
  }

  #assertScopes(scope: string, allowed: readonly string[]): void {
    for (const each of scope.split(' ')) {
      if (each !== '' && !allowed.includes(each))
        throw this.#notAllowed({ scope: logText(each) }, 'the scope')
    }
  }

  /** The value is for the log alone, where the operator needs it. */
  #notAllowed(fields: object, what: string): BrokerError {
    const { sampler, logger } = this.#surroundings
    sampler.note('not_allowed', count =>
      logger.info({ ...fields, count }, 'requests refused: client id or scope not allowed'),
    )
    return loggedRefusal(new BrokerError('forbidden', `${what} is not allowed`))
  }
}

function credential(value: CredentialHeaders['clientId'], name: string): string {
  const single = singleValue(value, name)
  if (!vschar.test(single)) throw new BrokerError('invalid_request', `${name} has invalid characters`)
  return single
}
