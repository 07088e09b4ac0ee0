/** Counts the bytes that are kept for calls whose message is incomplete: on a connection, and with `whole` in the whole listener too. */
export class HeldBytes {
  readonly #maxBytes: number
  readonly #whole: HeldBytes | undefined
  #bytes = 0

  constructor(maxBytes: number, whole?: HeldBytes) {
    this.#maxBytes = maxBytes
    this.#whole = whole
  }

  get isEmpty(): boolean {
    return this.#bytes === 0
  }

  /** Whether more is kept than may be. */
  get isExceeded(): boolean {
    return this.#bytes > this.#maxBytes
  }

  /** Adds bytes, or takes off a negative number of them. */
  add(bytes: number): void {
    this.#bytes += bytes
    this.#whole?.add(bytes)
  }
}
