import type { Client } from '../clients/client.ts'
import type { AuthenticatedCaller } from '../gate/authenticated-caller.ts'
import type { CheckRequest } from './check-request.ts'

/** The client whose token is added to a request. */
export interface ClientChoice {
  readonly client: Client
}

/** A refusal to add a token. */
export interface Denial {
  /** The reason, for the caller. */
  readonly deny: string
}

/** Chooses the client for a caller; `caller` is `undefined` without a gate. */
export type ChooseClient = (
  caller: AuthenticatedCaller | undefined,
  request: CheckRequest,
) => ClientChoice | Denial
