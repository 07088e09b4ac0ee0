/** Returns the names of the texts that data contains, in plain text, hexadecimal, base64 or base64url. */
export function findSecrets(data: Buffer, texts: ReadonlyMap<string, string>): string[] {
  return [...texts].flatMap(([name, text]) => (formsOf(text).some(form => data.includes(form)) ? [name] : []))
}

function formsOf(text: string): string[] {
  const hex = Buffer.from(text).toString('hex')
  const encodings = ['base64', 'base64url'] as const
  const encoded = encodings.flatMap(encoding => [0, 1, 2].map(before => encodedAfter(before, text, encoding)))
  return [text, hex, hex.toUpperCase(), ...encoded]
}

/** The characters that a text has in an encoding after some other bytes, whatever those and the following bytes are. */
function encodedAfter(before: number, text: string, encoding: 'base64' | 'base64url'): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)])
  return bytes.toString(encoding).slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6))
}
