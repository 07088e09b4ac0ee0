import type { Client } from '../clients/client.ts'
import type { AuthenticatedCaller } from '../gate/authenticated-caller.ts'
import type { CheckRequest } from './check-request.ts'

/** The client whose token a request gets. */
export interface ClientChoice {
  readonly client: Client
}

/** A request gets no token. */
export interface Denial {
  /** Why, in words for the caller. */
  readonly deny: string
}

/** Decides which client serves a caller; `undefined` where there is no gate. */
export type ChooseClient = (
  caller: AuthenticatedCaller | undefined,
  request: CheckRequest,
) => ClientChoice | Denial
