/** How an issuer of a document differs from the expected one, in words; both are compared to the letter. */
export function issuerDifference(expected: string, found: string): string {
  if (`${expected}/` === found) return 'only the trailing slash is missing'
  if (expected === `${found}/`) return 'only the trailing slash is too much'
  if (expected.toLowerCase() === found.toLowerCase()) return 'only upper and lower case differ'
  if (!URL.canParse(found) || !URL.canParse(expected))
    return `they differ from character ${firstDifference(expected, found)}`
  const [one, other] = [new URL(expected), new URL(found)]
  if (one.host === other.host && one.pathname === other.pathname && one.protocol !== other.protocol) {
    return `one is ${one.protocol.slice(0, -1)}, the other ${other.protocol.slice(0, -1)}`
  }
  if (one.host !== other.host) return `the host differs: ${one.host} and ${other.host}`
  return `the path differs: ${one.pathname} and ${other.pathname}`
}

/** Whether the two are on different hosts, as with an external URL that is reached by an internal one. */
export function isOnAnotherHost(expected: string, found: string): boolean {
  return URL.canParse(found) && URL.canParse(expected) && new URL(expected).host !== new URL(found).host
}

/** Counts from 1. */
function firstDifference(one: string, other: string): number {
  let index = 0
  while (index < one.length && one[index] === other[index]) index += 1
  return index + 1
}
