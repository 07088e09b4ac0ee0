/** Content codings that are undone when an answer has one of them. */
const knownCodings = new Set(['', 'identity', 'gzip', 'x-gzip', 'deflate', 'br'])

/** The content coding of an answer when nobody here can undo it, for a hint: bounded, and plain. */
export function unknownCoding(contentEncoding: string | null): string | undefined {
  const coding = contentEncoding?.trim().toLowerCase() ?? ''
  return knownCodings.has(coding) ? undefined : coding.replace(/[^\w,-]/g, '').slice(0, 20)
}
