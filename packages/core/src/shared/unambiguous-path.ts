/** Limit of encoding levels; each level costs a pass over the path. */
const maxDecodings = 8

/** A run of encoded bytes, which is decoded as a whole because UTF-8 characters have several bytes. */
const encodedRun = /(?:%[\da-f]{2})+/gi

/** Characters that servers cut off, read as an end, or decode differently. */
const refused = /[\\\p{Cc}]|%u/iu

/**
 * Tells whether every server reads a path in the same way: as written, decoded any number of times, and with look-alike
 * characters normalised.
 *
 * Returns `false` for a slash or backslash inside a segment and for dot segments, also with blanks, invisible characters or
 * a path parameter. Returns `false` for control characters, invalid UTF-8, `%u`, and more than 8 levels of encoding.
 */
export function isUnambiguousPath(path: string): boolean {
  const depth = depthOf(path)
  let text = path
  for (let decodings = 0; decodings <= maxDecodings; decodings++) {
    if (refused.test(text) || depthOf(text) !== depth || text.split('/').some(isDots)) return false
    const decoded = decodedOnce(text)
    if (decoded === text) return true
    if (decoded === undefined) return false
    text = decoded
  }
  return false
}

/** Decodes one level; `undefined` for invalid UTF-8. */
function decodedOnce(text: string): string | undefined {
  try {
    return text.replace(encodedRun, decodeURIComponent).normalize('NFKC')
  } catch {
    return undefined
  }
}

function isDots(segment: string): boolean {
  return /^\.+$/.test(segment.replace(/[;?#].*$/s, '').replace(/[\s\p{Cf}]/gu, ''))
}

function depthOf(path: string): number {
  return path.split('/').length
}
