/** An entry of Node's text of subject alternative names; a value with a special character is quoted as in JSON. */
const entryPattern = /(?:^|, )([^:]+):("(?:[^"\\]|\\.)*"|[^",]*)(?=, |$)/gy

/** The URI and DNS names in a certificate, by Node's text of its subject alternative names; DNS names in lower case. */
export function certificateNames(subjectAltName: string | undefined): readonly string[] {
  const entries = [...(subjectAltName ?? '').matchAll(entryPattern)]
  return entries.flatMap(([, kind, text = '']) => {
    const name = text.startsWith('"') ? unquoted(text) : text
    // A URI has a colon and a DNS name has none, so that neither passes for the other.
    if (kind === 'URI') return name.includes(':') ? [name] : []
    return kind === 'DNS' && !name.includes(':') ? [name.toLowerCase()] : []
  })
}

function unquoted(text: string): string {
  try {
    return JSON.parse(text) as string
  } catch {
    return ''
  }
}
