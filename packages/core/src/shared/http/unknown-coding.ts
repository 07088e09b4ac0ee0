/** Content codings that the broker decodes. */
const knownCodings = new Set(['', 'identity', 'gzip', 'x-gzip', 'deflate', 'br'])

/** The content coding of an answer if the broker cannot decode it, for a hint: at most 20 characters. */
export function unknownCoding(contentEncoding: string | null): string | undefined {
  const coding = contentEncoding?.trim().toLowerCase() ?? ''
  return knownCodings.has(coding) ? undefined : coding.replace(/[^\w,-]/g, '').slice(0, 20)
}
