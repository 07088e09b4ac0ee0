import { BrokerError } from '../shared/errors.ts'
import { logText } from '../shared/log-text.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { Denial } from './choose-client.ts'

/** Limit of rules whose denials are sampled separately; a rule name can be computed. */
const maxRules = 256
const maxTextLength = 200

/** Turns the denials of `chooseClient` into errors, and logs them by rule. */
export class Denials {
  readonly #surroundings: Surroundings
  readonly #rules = new Set<string>()

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  /** Returns the error for the caller, with a text that fits into any answer. */
  refuse({ deny, rule }: Denial): BrokerError {
    const error = new BrokerError('forbidden', callersText(deny))
    this.note(error.message, rule)
    return error
  }

  /** Notes a denial, so that the operator sees it at most once in 10 seconds for each rule. */
  note(reason: string, rule: string | undefined): void {
    const { sampler, logger } = this.#surroundings
    sampler.note(`denied_by_rule ${this.#sampledAs(rule ?? '')}`, count =>
      logger.info(
        { ...(rule !== undefined && { rule: logText(rule) }), reason: logText(reason), count },
        'requests denied by a rule',
      ),
    )
  }

  #sampledAs(rule: string): string {
    if (!this.#rules.has(rule) && this.#rules.size >= maxRules) return ''
    this.#rules.add(rule)
    return rule
  }
}

/** The characters of `error_description` (RFC 6749 section 5.2). */
function callersText(deny: string): string {
  const text = deny
    .replaceAll('"', "'")
    .replace(/[^\x20-\x7e]|\\/gu, '?')
    .slice(0, maxTextLength)
    .trim()
  return text === '' ? 'the request is denied' : text
}
