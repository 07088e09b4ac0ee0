/** Enough for the people of one incident; each costs a connection of the admin listener. */
const maxStreams = 16
const intervalMs = 1_000
/** A reader that takes nothing for so many renderings is gone. */
const patience = 30

interface Stream {
  readonly controller: ReadableStreamDefaultController<Uint8Array>
  /** Whether its reader may still see the page. */
  readonly isAllowed: () => boolean
  skipped: number
}

/**
 * Sends the state of the page once a second to everybody who has it open. All of them share one rendering, and while nobody has it
 * open there is none.
 */
export class EventStreams implements Disposable {
  readonly #render: () => Promise<string>
  readonly #streams = new Set<Stream>()
  readonly #encoder = new TextEncoder()
  #timer: NodeJS.Timeout | undefined
  #isRendering = false
  #isClosed = false

  /** `render` returns one line of text. */
  constructor(render: () => Promise<string>) {
    this.#render = render
  }

  /** Whether there is room for one more stream. */
  get hasRoom(): boolean {
    return !this.#isClosed && this.#streams.size < maxStreams
  }

  /** Opens a stream; `undefined` when there are too many, or after the end. */
  open(isAllowed: () => boolean): ReadableStream<Uint8Array> | undefined {
    if (!this.hasRoom) return undefined
    let stream: Stream | undefined
    return new ReadableStream<Uint8Array>(
      {
        start: controller => {
          stream = { controller, isAllowed, skipped: 0 }
          this.#streams.add(stream)
          controller.enqueue(this.#encoder.encode('retry: 1000\n\n'))
          this.#timer ??= setInterval(() => void this.#send(), intervalMs).unref()
        },
        cancel: () => {
          if (stream !== undefined) this.#forget(stream)
        },
      },
      { highWaterMark: 2 },
    )
  }

  /** Ends every stream; there are no new ones. */
  [Symbol.dispose](): void {
    this.#isClosed = true
    for (const stream of this.#streams) this.#end(stream)
  }

  async #send(): Promise<void> {
    if (this.#isRendering) return
    this.#isRendering = true
    try {
      const chunk = this.#encoder.encode(`data: ${await this.#render()}\n\n`)
      for (const stream of this.#streams) this.#sendTo(stream, chunk)
    } catch {
      // A page reconnects; a request for the page itself logs why it cannot be rendered.
      for (const stream of this.#streams) this.#end(stream)
    } finally {
      this.#isRendering = false
    }
  }

  #sendTo(stream: Stream, chunk: Uint8Array): void {
    const { controller, isAllowed } = stream
    if (!isAllowed()) {
      this.#end(stream)
    } else if ((controller.desiredSize ?? 0) > 0) {
      stream.skipped = 0
      controller.enqueue(chunk)
    } else if (++stream.skipped > patience) {
      // Each rendering is complete, so that a slow reader may miss some.
      this.#end(stream)
    }
  }

  #end(stream: Stream): void {
    this.#forget(stream)
    stream.controller.close()
  }

  #forget(stream: Stream): void {
    this.#streams.delete(stream)
    if (this.#streams.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
