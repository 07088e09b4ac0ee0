import type { TokenOrder } from '../../clients/token-order.ts'
import { BrokerError } from '../../shared/errors.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import type { SpanContext } from '../../shared/tracer.ts'
import type { ObtainedToken, TokenOrigin } from '../token-origin.ts'
import type { RefusedExchange, SubjectPace } from './subject-pace.ts'

export interface ExchangeOriginOptions {
  /** The origin behind the limits. */
  readonly origin: TokenOrigin
  readonly pace: SubjectPace
}

const paceHint = "have the user's app use its JWT until it expires: each new JWT needs an exchange"

/** Obtains tokens in exchange for users' tokens, within the limits of each user. */
export class ExchangeOrigin implements TokenOrigin {
  readonly #surroundings: Surroundings
  readonly #options: ExchangeOriginOptions

  constructor(surroundings: Surroundings, options: ExchangeOriginOptions) {
    this.#surroundings = surroundings
    this.#options = options
  }

  get responseFields(): readonly string[] {
    return this.#options.origin.responseFields
  }

  rejection(order: TokenOrder): BrokerError | undefined {
    return this.#options.origin.rejection(order)
  }

  /** Rejects with `invalid_token` for a subject token that has expired, and with `overloaded` beyond the limits. */
  async obtain(
    order: TokenOrder,
    controller: AbortController,
    onFirstFailure: (failure: BrokerError) => void,
    parent?: SpanContext,
  ): Promise<ObtainedToken> {
    const { origin, pace } = this.#options
    const { exchange } = order.credentials
    if (exchange !== undefined && this.#surroundings.clock.wall() >= exchange.subject.expiresAt) {
      throw subjectExpired()
    }
    const start = pace.start(order.ownerKey)
    if ('retryAfterMs' in start) throw this.#refuse(order, start)
    try {
      return await origin.obtain(order, controller, onFirstFailure, parent)
    } finally {
      start.ended()
    }
  }

  /** The line names no user, as no line does. */
  #refuse({ credentials }: TokenOrder, { limit, retryAfterMs }: RefusedExchange): BrokerError {
    const { sampler, logger } = this.#surroundings
    const { client, clientId, exchange } = credentials
    const connectorId = exchange?.connectorId
    sampler.note('exchanges_of_one_user', count =>
      logger.warn(
        { client, clientId, connectorId, limit, count, hint: paceHint },
        'token exchanges refused: too many of one user',
      ),
    )
    return new BrokerError('overloaded', 'too many token exchanges of one user', {
      retryAfterMs,
      transient: true,
    })
  }
}

/** The wait for Dex can outlast the subject token. */
function subjectExpired(): BrokerError {
  return new BrokerError('invalid_token', 'the JWT is not acceptable')
}
