/**
 * A value that is available at once, or a promise of it.
 *
 * Cached checks return the value: a promise per call would cost more than most calls. `await` works with both.
 */
export type MaybePromise<T> = T | Promise<T>

/** Applies `next` to a value at once, or to a promise when it resolves. */
export function andThen<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}
