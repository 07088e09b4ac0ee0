import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import type { CheckAnswer } from '../faults/checks.ts'
import type { RunningDex } from './dex-pod.ts'

/** A backend that has fetched Dex's keys once. */
export class Backend {
  readonly #keys: ReturnType<typeof createLocalJWKSet>
  readonly #verdicts = new Map<string, Promise<boolean>>()

  private constructor(keys: JSONWebKeySet) {
    this.#keys = createLocalJWKSet(keys)
  }

  /** Fetches the keys now. */
  static async withKeysOf({ jwksUri }: RunningDex): Promise<Backend> {
    return new Backend((await (await fetch(jwksUri)).json()) as JSONWebKeySet)
  }

  /** The answers whose tokens it refuses. */
  async refused(answers: readonly CheckAnswer[]): Promise<readonly CheckAnswer[]> {
    const verdicts = await Promise.all(answers.map(answer => this.#accepts(answer)))
    return answers.filter((_, index) => !verdicts[index])
  }

  #accepts({ token = '' }: CheckAnswer): Promise<boolean> {
    const known = this.#verdicts.get(token)
    if (known !== undefined) return known
    const verdict = jwtVerify(token, this.#keys).then(
      () => true,
      () => false,
    )
    this.#verdicts.set(token, verdict)
    return verdict
  }
}
