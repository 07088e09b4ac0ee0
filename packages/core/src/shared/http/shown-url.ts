/** A URL as a log or a message may show it: without user information, and without its query, in which a secret could be. */
export function shownUrl(url: string): string {
  if (latest?.url !== url) latest = { url, shown: withoutQuery(new URL(url)) }
  return latest.shown
}

/** Nearly all requests go to one URL. */
let latest: { readonly url: string; readonly shown: string } | undefined

function withoutQuery({ origin, pathname, search }: URL): string {
  return `${origin}${pathname}${search === '' ? '' : '?...'}`
}
