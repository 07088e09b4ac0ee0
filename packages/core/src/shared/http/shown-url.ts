/** A URL as a log or a message may show it: without user information, and without its query, in which a secret could be. */
export function shownUrl(url: string): string {
  const { origin, pathname, search } = new URL(url)
  return `${origin}${pathname}${search === '' ? '' : '?...'}`
}
