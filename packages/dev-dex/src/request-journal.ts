import type { IncomingHttpHeaders } from 'node:http'
import { tokenExchangeGrant } from './grant-types.ts'
import type { ReceivedRequest } from './received-request.ts'

/** How many token requests are remembered; the oldest goes first. */
const longestJournal = 1000

/** A token request that has arrived, whatever became of it. */
export interface RecordedTokenRequest {
  /** The HTTP method as received, also a wrong one. */
  readonly method: string
  /** The headers as Node.js parsed them. They can contain a client secret. */
  readonly headers: IncomingHttpHeaders
  /** Fields of the form, decoded; empty when the body was not a well-formed form. */
  readonly form: Readonly<Record<string, string>>
}

/** How often things happened since the start or the last reset. */
export interface RequestCounts {
  /** Token requests of every grant, refused ones too. */
  readonly tokenRequests: number
  /** Token requests that ask for a token exchange; `tokenRequests` has them too. */
  readonly exchangeRequests: number
  /** Requests for the key set. */
  readonly keysRequests: number
  /** Requests for the discovery document. */
  readonly discoveryRequests: number
  /** Successful token responses that were made; one with an ID token counts once. */
  readonly tokensIssued: number
}

const noCounts: RequestCounts = {
  tokenRequests: 0,
  exchangeRequests: 0,
  keysRequests: 0,
  discoveryRequests: 0,
  tokensIssued: 0,
}

/** Counts what arrives and remembers the last 1000 token requests. */
export class RequestJournal {
  #counts: { -readonly [name in keyof RequestCounts]: number } = { ...noCounts }
  #tokenRequests: RecordedTokenRequest[] = []

  get counts(): RequestCounts {
    return { ...this.#counts }
  }

  get tokenRequests(): readonly RecordedTokenRequest[] {
    return this.#tokenRequests
  }

  count(name: keyof RequestCounts): void {
    this.#counts[name] += 1
  }

  record({ method, headers, form }: ReceivedRequest): void {
    if (form?.get('grant_type') === tokenExchangeGrant) this.count('exchangeRequests')
    this.#tokenRequests.push({ method, headers, form: Object.fromEntries(form ?? []) })
    if (this.#tokenRequests.length > longestJournal) this.#tokenRequests.shift()
  }

  reset(): void {
    this.#counts = { ...noCounts }
    this.#tokenRequests = []
  }
}
