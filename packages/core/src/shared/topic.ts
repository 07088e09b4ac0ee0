/**
 * One kind of news that a part has for others: who publishes does not know who listens, so a part can be told of what
 * happens in another one on which it does not depend.
 */
export class Topic<News> {
  readonly #listeners: ((news: News) => void)[] = []

  /** Listeners are called synchronously, in the order in which they came. */
  publish(news: News): void {
    for (const listener of this.#listeners) listener(news)
  }

  subscribe(listener: (news: News) => void): void {
    this.#listeners.push(listener)
  }
}
