/** Deeper encodings are refused: nobody needs them, and each level costs a pass over the path. */
const maxDecodings = 8

/** One character may be encoded alone, several bytes together: UTF-8 is read over the whole run. */
const encodedRun = /(?:%[\da-f]{2})+/gi

/** What no segment needs, and what peers cut off, read as an end, or decode in a way of their own. */
const refused = /[\\\p{Cc}]|%u/iu

/**
 * Whether every server reads a path as the same place: as it is written, decoded however often, and with characters
 * that look like others folded into those.
 *
 * `false` for a slash or a backslash inside a segment, segments of dots (also with blanks, invisible characters or a
 * path parameter around them), control characters, bytes that are not UTF-8, `%u`, and more than 8 levels of encoding.
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

/** `undefined` for bytes that are not UTF-8. */
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
