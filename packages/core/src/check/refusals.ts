import type { TokenOrder } from '../clients/token-order.ts'
import { bugHint } from '../shared/bug-hint.ts'
import { BrokerError, type BrokerErrorCode } from '../shared/errors.ts'
import type { Hint } from '../shared/hint.ts'
import { logText } from '../shared/log-text.ts'
import { isLoggedRefusal } from '../shared/logged-refusals.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import { noteRefusal } from './check-facts.ts'
import type { CheckRequest } from './check-request.ts'
import { type Challenges, type RefusalVerdict, refusalVerdict } from './verdict.ts'

/** Limit of reasons that are sampled each by itself; further ones share one line per code. */
const maxReasons = 64

/** The token that a check waits for. */
interface Waiting {
  readonly order: TokenOrder
  readonly rule: string | undefined
}

/** Hints for refusals whose error has none. */
const hints: Readonly<Record<BrokerErrorCode, Hint>> = {
  invalid_request: { problem: 'headers_malformed', option: 'credentialHeaders' },
  missing_credentials: { problem: 'basic_incomplete', option: 'credentialHeaders.basic' },
  invalid_token: { problem: 'jwt_outside_its_time', option: 'gate.clockToleranceMs' },
  forbidden: { problem: 'failure_logged_elsewhere', option: 'gate' },
  token_request_rejected: { problem: 'failure_logged_elsewhere', option: 'tokenEndpoint' },
  client_misconfigured: { problem: 'failure_logged_elsewhere', option: 'tokenEndpoint' },
  invalid_token_response: { problem: 'failure_logged_elsewhere', option: 'tokenEndpoint' },
  token_endpoint_unavailable: { problem: 'failure_logged_elsewhere', option: 'tokenEndpoint' },
  overloaded: { problem: 'failure_logged_elsewhere', option: 'tokenEndpoint' },
  jwks_unavailable: { problem: 'failure_logged_elsewhere', option: 'gate.jwksUri' },
  server_error: { problem: 'failure_logged_elsewhere', option: 'logger' },
}

/**
 * Turns errors into refusals, and logs the refusals that no other line tells: the first of each reason at once, then one line in
 * 10 seconds with their number.
 */
export class Refusals {
  readonly #surroundings: Surroundings
  readonly #challenges: Challenges
  readonly #waiting = new WeakMap<CheckRequest, Waiting>()
  readonly #reasons = new Set<string>()

  constructor(surroundings: Surroundings, challenges: Challenges) {
    this.#surroundings = surroundings
    this.#challenges = challenges
  }

  /** Notes which token a check waits for. */
  waitsFor(request: CheckRequest, order: TokenOrder, rule?: string): void {
    this.#waiting.set(request, { order, rule })
  }

  /** Returns the verdict for an error. Throws the reason of the caller's own abort. */
  refuse(error: unknown, request: CheckRequest): RefusalVerdict {
    if (!BrokerError.is(error)) {
      const { signal } = request
      if (signal?.aborted && error === signal.reason) throw error
      this.#surroundings.logger.error({ err: error, hint: bugHint }, 'check failed internally')
    } else if (!isLoggedRefusal(error)) this.#log(error, request)
    return this.answer(error, request)
  }

  /** Returns the verdict for an error that is logged already. */
  answer(error: unknown, { facts }: CheckRequest): RefusalVerdict {
    if (facts !== undefined) noteRefusal(facts, error)
    return refusalVerdict(error, this.#challenges)
  }

  #log(error: BrokerError, request: CheckRequest): void {
    const { sampler, logger, describeHint } = this.#surroundings
    const { code, status, message: reason } = error
    const { order, rule } = this.#waiting.get(request) ?? {}
    sampler.note(`refused ${code} ${this.#sampledAs(reason)}`, count => {
      const fields = {
        code,
        status,
        reason,
        ...(rule !== undefined && { rule: logText(rule) }),
        ...configuredClient(order),
        count,
        hint: describeHint(error.hint ?? hints[code]),
      }
      logger.info(fields, 'checks refused')
    })
  }

  #sampledAs(reason: string): string {
    if (!this.#reasons.has(reason) && this.#reasons.size >= maxReasons) return ''
    this.#reasons.add(reason)
    return reason
  }
}

/** A caller's own client id is not shown: callers choose it. */
function configuredClient(order: TokenOrder | undefined): object {
  if (order === undefined || !order.credentials.configured) return {}
  const { client, clientId } = order.credentials
  return { ...(client !== undefined && { client }), clientId }
}
