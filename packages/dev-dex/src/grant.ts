import type { Answer } from './answer.ts'
import type { DexClient } from './dex-client.ts'
import type { IssuerState } from './issuer-state.ts'
import type { OpenConnector } from './open-connector.ts'
import type { ScopePolicy } from './scope-policy.ts'
import type { FormFields } from './url-encoded-form.ts'

/** A token request of a known client, its scopes and its connector checked. */
export interface GrantRequest {
  readonly client: DexClient
  readonly scopes: readonly string[]
  readonly connectorId: string
  readonly connector: OpenConnector
  readonly form: FormFields
}

/** One grant type of the token endpoint: its part between the checks that all grants share. */
export interface Grant {
  /** Without a policy, every scope passes. */
  readonly scopePolicy?: ScopePolicy
  /** The connector that a request is about; '' for none. */
  connectorId(state: IssuerState, form: FormFields): string
  answer(state: IssuerState, request: GrantRequest): Answer | Promise<Answer>
}
