import { BrokerError } from '../shared/errors.ts'
import { logText } from '../shared/log-text.ts'
import type { MaybePromise } from '../shared/maybe-promise.ts'
import { countFailedLookups } from '../shared/outage.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { SpanContext } from '../shared/tracer.ts'
import type { Wait } from '../shared/wait-for.ts'
import type { WaitingCallers } from '../shared/waiting-callers.ts'
import type { CallersIssuer, LearnedIssuer } from './callers-issuer.ts'
import { assertTimes } from './jwt/assert-claims.ts'
import type { JwtClaims } from './jwt/jwt.ts'
import { invalidJwt, JwtRefusal } from './jwt/jwt-refusal.ts'
import { asKeysUnavailable } from './keys/keys-unavailable.ts'

/** An issuer whose discovery document is not loaded yet. */
interface Pending {
  readonly issuer: CallersIssuer
  readonly learned: LearnedIssuer
}

/** The issuers whose JWTs the gate accepts: a closed list, from which the `iss` of a JWT selects one. */
export class CallersIssuers {
  readonly #surroundings: Surroundings
  readonly #all: readonly CallersIssuer[]
  /** The algorithms that at least one issuer accepts. */
  readonly algorithms: readonly string[]
  readonly #callers: WaitingCallers
  readonly #acceptsAny: CallersIssuer | undefined
  readonly #warned = new Set<CallersIssuer>()
  readonly #subscriptions: (() => void)[] = []

  constructor(surroundings: Surroundings, all: readonly CallersIssuer[], callers: WaitingCallers) {
    this.#surroundings = surroundings
    this.#all = all
    this.algorithms = [...new Set(all.flatMap(({ rules }) => rules.algorithms))]
    this.#callers = callers
    this.#acceptsAny = all.find(({ expected }) => expected === undefined)
    for (const issuer of all) {
      if (typeof issuer.expected !== 'object') continue
      this.#subscriptions.push(issuer.expected.learned.subscribe(() => this.#warnOfTwins()))
    }
  }

  retire(): void {
    for (const end of this.#subscriptions) end()
  }

  /** The values of `iss` that are accepted, as far as they are known. */
  get expected(): readonly string[] {
    return this.#all.map(issOf).filter(iss => iss !== undefined)
  }

  /** Returns the issuer with a name. */
  named(name: string | undefined): CallersIssuer | undefined {
    return this.#all.find(issuer => issuer.name === name)
  }

  /**
   * Selects the issuer that a JWT names, by claims that are not verified yet. Waits only for issuers that discovery has not
   * named yet, and fails with `jwks_unavailable` when one of them stays unknown: it may be the issuer of the JWT.
   */
  select(claims: JwtClaims, wait: Wait): MaybePromise<CallersIssuer> {
    const { iss } = claims
    const known = this.#acceptsAny ?? this.#find(iss)
    if (known !== undefined) return known
    const pending = this.#pending()
    if (typeof iss !== 'string' || pending.length === 0) throw this.#namesNone()
    // Expired junk causes no request.
    const toleranceMs = Math.max(...pending.map(({ issuer }) => issuer.rules.clockToleranceMs))
    assertTimes(claims, toleranceMs, this.#surroundings.clock.wall())
    return this.#selectLearned(iss, pending, wait)
  }

  /** The list is short. Its first entry counts when discovery names an issuer that another entry has. */
  #find(iss: unknown): CallersIssuer | undefined {
    return iss === undefined ? undefined : this.#all.find(issuer => issOf(issuer) === iss)
  }

  #pending(): Pending[] {
    return this.#all.flatMap(issuer =>
      typeof issuer.expected === 'object' && issuer.expected.issuer === undefined
        ? { issuer, learned: issuer.expected }
        : [],
    )
  }

  /** The first issuer that fits wins, without a wait for the others. */
  async #selectLearned(iss: string, pending: readonly Pending[], wait: Wait): Promise<CallersIssuer> {
    const learned = Promise.any(pending.map(each => this.#learn(each, iss, wait.span?.context))).catch(
      rejectTogether,
    )
    // A caller that may not wait, or that has left already, does not look at the outcome.
    learned.catch(() => {})
    await this.#callers.wait(learned, wait, { isUnknown: true, timedOut: discoveryTimedOut })
    const issuer = this.#find(iss)
    if (issuer === undefined) throw this.#namesNone()
    return issuer
  }

  async #learn({ learned }: Pending, iss: string, parent: SpanContext | undefined): Promise<void> {
    await learned.load(parent)
    if (learned.issuer !== iss) throw this.#namesNone()
  }

  /** Two clusters can have the same `iss`, and a JWT could then belong to either. */
  #warnOfTwins(): void {
    const { logger, describeHint } = this.#surroundings
    for (const issuer of this.#all) {
      const iss = issOf(issuer)
      const first = this.#find(iss)
      if (iss === undefined || first === undefined || first === issuer || this.#warned.has(issuer)) continue
      this.#warned.add(issuer)
      const hint = describeHint({ problem: 'issuer_twice', option: 'issuers' })
      logger.error(
        { issuer: issuer.name, sameAs: first.name, iss: logText(iss), hint },
        'discovery names the issuer of another entry; its JWTs are refused',
      )
    }
  }

  #namesNone(): BrokerError {
    const isOnlyOne = this.#all.length === 1
    return invalidJwt(
      'issuer',
      `iss is not ${isOnlyOne ? 'the expected issuer' : 'one of the expected issuers'}`,
    )
  }
}

function issOf({ expected }: CallersIssuer): string | undefined {
  return typeof expected === 'object' ? expected.issuer : expected
}

/** A document that failed to load could have named the issuer, so that the JWT is not refused. */
function rejectTogether({ errors }: { errors: readonly unknown[] }): never {
  const failure = errors.find(error => !(BrokerError.is(error) && error.cause instanceof JwtRefusal))
  if (failure === undefined) throw errors[0]
  if (BrokerError.is(failure)) countFailedLookups(failure)
  throw asKeysUnavailable(failure)
}

function discoveryTimedOut(): BrokerError {
  return new BrokerError('jwks_unavailable', 'the discovery of an issuer timed out', {
    retryAfterMs: 1000,
    transient: true,
  })
}
