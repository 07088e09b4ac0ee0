import { rememberLatest } from '../remember-latest.ts'

/** A URL as a log or a message may show it: without user information, and without its query, in which a secret could be. */
export const shownUrl: (url: string) => string = rememberLatest(url => {
  const { origin, pathname, search } = new URL(url)
  return `${origin}${pathname}${search === '' ? '' : '?...'}`
})
