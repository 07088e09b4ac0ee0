import { keepForChecks, keptForChecks } from '../tokens/bearer-token.ts'
import type { IssuedToken } from '../tokens/issued-token.ts'
import type { TokenHeader } from '../tokens/token-headers.ts'
import type { CredentialHeaderNames } from './credential-headers.ts'
import type { AllowVerdict } from './verdict.ts'

export interface AllowVerdictsOptions {
  readonly names: CredentialHeaderNames
  readonly hasGate: boolean
  readonly stripCredentialHeaders: boolean
  readonly authorizationHeader: string
  readonly tokenHeaders: readonly TokenHeader[]
  /** The headers that a rule may set; a caller must not be able to. */
  readonly backendHeaders: readonly string[]
}

/** The additions of a rule to a verdict. */
export interface RuleOutcome {
  /** The headers for the backend, with valid values only. */
  readonly set?: Readonly<Record<string, string>> | undefined
  readonly rule?: string | undefined
}

const noRule: RuleOutcome = Object.freeze({})
const nothingSet: AllowVerdict['set'] = Object.freeze({})

/** A verdict, with what it was built by and for. */
class KnownVerdict {
  readonly #verdicts: AllowVerdicts
  readonly #headers: AllowVerdict['set']
  readonly verdict: AllowVerdict

  constructor(verdicts: AllowVerdicts, headers: AllowVerdict['set'], verdict: AllowVerdict) {
    this.#verdicts = verdicts
    this.#headers = headers
    this.verdict = verdict
  }

  isFor(verdicts: AllowVerdicts, headers: AllowVerdict['set'], rule: string | undefined): boolean {
    return this.#verdicts === verdicts && this.#headers === headers && this.verdict.rule === rule
  }
}

/** Builds the verdicts of requests that may pass. No header is both set and removed. */
export class AllowVerdicts {
  /** The headers to remove from a request that passes with a token, unless the same name is set. */
  readonly #removed: readonly string[]
  /** The headers to remove from a request that passes with the caller's JWT, unless the same name is set. */
  readonly #removedFromPassing: readonly string[]
  /** By the headers of a rule, which are few. */
  readonly #known = new WeakMap<AllowVerdict['set'], KnownVerdict>()

  constructor(options: AllowVerdictsOptions) {
    const { names, hasGate, stripCredentialHeaders, authorizationHeader, tokenHeaders, backendHeaders } =
      options
    const { clientId, clientSecret, scope, basic } = names
    const credentials = stripCredentialHeaders ? [clientId, clientSecret, scope] : []
    if (stripCredentialHeaders && basic !== undefined) credentials.push(basic)
    const jwt = stripCredentialHeaders && hasGate ? [names.jwt] : []
    // Mapped headers too: when the field is absent, the caller's own value would pass for Dex's.
    const others = [...tokenHeaders.map(({ header }) => header), ...backendHeaders]
    this.#removed = [...new Set([...credentials, ...jwt, ...others])]
    const passing = new Set([...credentials, authorizationHeader, ...others])
    passing.delete(names.jwt)
    this.#removedFromPassing = [...passing]
  }

  /** The verdict with a token. The same object for the same token and rule, unless its headers change with time. */
  readonly ofToken = (token: IssuedToken, outcome: RuleOutcome = noRule): AllowVerdict => {
    const { headers } = token
    const { set, rule } = outcome
    if (set !== undefined) return this.#verdict(headers, this.#removed, outcome)
    const known = keptForChecks(token)
    if (known instanceof KnownVerdict && known.isFor(this, headers, rule)) return known.verdict
    const verdict = verdictOf(headers, this.#removed, rule)
    keepForChecks(token, new KnownVerdict(this, headers, verdict))
    return verdict
  }

  /** The verdict with the caller's own JWT, which stays in its header. */
  ofPassing(outcome: RuleOutcome): AllowVerdict {
    return this.#verdict(nothingSet, this.#removedFromPassing, outcome)
  }

  #verdict(
    headers: AllowVerdict['set'],
    removed: readonly string[],
    { set, rule }: RuleOutcome,
  ): AllowVerdict {
    const key = set ?? headers
    const known = this.#known.get(key)
    if (known?.isFor(this, headers, rule)) return known.verdict
    const verdict = verdictOf(set === undefined ? headers : { ...headers, ...set }, removed, rule)
    // Headers of a rule that are not frozen are new for each check.
    if (set === undefined || Object.isFrozen(set))
      this.#known.set(key, new KnownVerdict(this, headers, verdict))
    return verdict
  }
}

function verdictOf(
  set: AllowVerdict['set'],
  removed: readonly string[],
  rule: string | undefined,
): AllowVerdict {
  const remove = removed.filter(name => !Object.hasOwn(set, name))
  return rule === undefined ? { outcome: 'allow', set, remove } : { outcome: 'allow', set, remove, rule }
}
