/** Who a Dex token was issued to; a machine that used its own credentials has an empty connector id. */
export interface DexSubject {
  readonly userId: string
  readonly connectorId: string
}

/** Tag bytes of the protobuf message: field number, and "a length and that many bytes follow". */
const tags = { userId: 0x0a, connectorId: 0x12 }

/** Reads the `sub` claim of Dex, base64url of a small protobuf message; `undefined` when it is something else. */
export function decodeDexSubject(sub: string): DexSubject | undefined {
  const bytes = Buffer.from(sub, 'base64url')
  const subject = { userId: '', connectorId: '' }
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at]
    const { value: length, next } = readVarint(bytes, at + 1)
    if (next + length > bytes.length) return undefined
    const text = bytes.toString('utf8', next, next + length)
    if (tag === tags.userId) subject.userId = text
    else if (tag === tags.connectorId) subject.connectorId = text
    else return undefined
    at = next + length
  }
  return subject
}

/** A length that does not end within the bytes is endless. */
function readVarint(bytes: Buffer, start: number): { value: number; next: number } {
  let value = 0
  let factor = 1
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at] as number
    value += (byte & 0x7f) * factor
    factor *= 0x80
    if (byte < 0x80) return { value, next: at + 1 }
  }
  return { value: Number.POSITIVE_INFINITY, next: bytes.length }
}
