const headerBytes = 8

/** The input that a thread has under way, for the thread that watches it: of one that hangs or dies nothing else is left. */
export class SharedInput {
  readonly #header: Int32Array
  readonly #bytes: Uint8Array

  constructor(memory: SharedArrayBuffer) {
    this.#header = new Int32Array(memory, 0, 2)
    this.#bytes = new Uint8Array(memory, headerBytes)
  }

  static memory(maxBytes: number): SharedArrayBuffer {
    return new SharedArrayBuffer(headerBytes + maxBytes)
  }

  /** How many inputs there were. */
  get count(): number {
    return Atomics.load(this.#header, 0)
  }

  write(input: Uint8Array): void {
    this.#bytes.set(input)
    Atomics.store(this.#header, 1, input.length)
    Atomics.add(this.#header, 0, 1)
  }

  read(): Uint8Array {
    return this.#bytes.slice(0, Atomics.load(this.#header, 1))
  }
}
