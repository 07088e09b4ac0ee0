/**
 * A value when nothing has to be waited for, otherwise a promise of it.
 *
 * What may or may not have to wait is written once, with this type; a promise for each call would cost more than most calls.
 */
export type MaybePromise<T> = T | Promise<T>

/** Goes on with a value: at once when it is there, otherwise when its promise resolves. */
export function andThen<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}
