/** One kind of event. The publisher does not know its listeners, so that parts need not depend on each other. */
export class Topic<News> {
  readonly #listeners = new Set<(news: News) => void>()

  /** Calls the listeners synchronously, in the order of their subscription. */
  publish(news: News): void {
    for (const listener of this.#listeners) listener(news)
  }

  /** Returns a function that ends the subscription. */
  subscribe(listener: (news: News) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }
}
