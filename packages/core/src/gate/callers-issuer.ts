import type { Hint } from '../shared/hint.ts'
import type { Topic } from '../shared/topic.ts'
import type { SpanContext } from '../shared/tracer.ts'
import type { ClockSkewStatus } from '../status/issuer-status.ts'
import type { ClaimsRules } from './jwt/assert-claims.ts'
import type { KeySource } from './keys/key-source.ts'

/** The `iss` of an issuer that the discovery document names. */
export interface LearnedIssuer {
  /** `undefined` until the document is loaded. */
  readonly issuer: string | undefined
  /** Publishes the issuer when the document is loaded. */
  readonly learned: Topic<string>
  /** Loads the document, once for all callers. `parent`: of the span of a new request. */
  load(parent?: SpanContext): Promise<unknown>
}

/** How the JWTs of an issuer are judged and read. */
export interface CallersIssuerRules extends ClaimsRules {
  readonly algorithms: readonly string[]
  /** The claim with the caller's groups. */
  readonly groupsClaim: string
}

/** An issuer of callers' JWTs, as the gate uses it. */
export interface CallersIssuer {
  /** The name in the option `issuers`; `default` with the option `gate` alone. */
  readonly name: string
  /** The name in the log; `undefined` when the option `gate` alone names no other. */
  readonly shownAs: string | undefined
  /** The expected `iss`, or the discovery document that names it; `undefined` accepts any. */
  readonly expected: string | LearnedIssuer | undefined
  readonly keys: KeySource
  /** The difference between the clocks of this host and of the issuer. */
  readonly clockSkew: { readonly status: ClockSkewStatus | undefined; readonly hint: Hint | undefined }
  readonly rules: CallersIssuerRules
  /** The paths of its options, for hints. */
  readonly paths: { readonly audiences: string; readonly clockToleranceMs: string }
}
