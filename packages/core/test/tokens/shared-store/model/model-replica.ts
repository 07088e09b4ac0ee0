import { brokerParts } from '../../../../src/broker-parts.ts'
import type { TokenRequest } from '../../../../src/clients/token-request.ts'
import { lastingParts } from '../../../../src/lasting-parts.ts'
import type { TokenBrokerOptions } from '../../../../src/options/broker-options.ts'
import { resolveOptions } from '../../../../src/options/resolve-options.ts'
import type { Timers } from '../../../../src/shared/timers.ts'
import type { IssuedToken } from '../../../../src/tokens/issued-token.ts'
import { issuer } from './scripted-dex.ts'

/** A `TokenBroker` without its methods around it, so that its timers and the loss of a signing key can be given. */
export class ModelReplica {
  readonly #lasting
  readonly #parts

  constructor(options: TokenBrokerOptions, timers: Timers) {
    const resolved = resolveOptions(options)
    const surroundings = { ...resolved.surroundings, timers }
    this.#lasting = lastingParts({ ...resolved, surroundings })
    const next = this.#lasting.carried.next()
    this.#parts = brokerParts(resolved, this.#lasting, next)
    this.#lasting.carried.adopt(next)
  }

  async getToken(request: TokenRequest): Promise<IssuedToken> {
    return this.#lasting.tokens.get(this.#parts.clients.order(request), {})
  }

  peekToken(request: TokenRequest): IssuedToken | undefined {
    return this.#lasting.tokens.peek(this.#parts.clients.order(request), request)
  }

  invalidate(token: IssuedToken): boolean {
    return this.#lasting.tokens.invalidate(token)
  }

  /** The watch over the key set of Dex found that a key is gone. */
  keyIsGone(kid: string): void {
    this.#lasting.tokens.dropSignedBy(issuer, new Set([kid]))
  }

  close(): void {
    this.#lasting.tokens.close()
    this.#lasting.exchangedTokens.close()
    this.#lasting.records.close()
    this.#lasting.carried.close()
    this.#lasting.memory.close()
    this.#lasting.surroundings.sampler.close()
  }
}
