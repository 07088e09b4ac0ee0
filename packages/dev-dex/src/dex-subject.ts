function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  bytes.push(rest)
  return bytes
}

function stringField(tag: number, value: string): Buffer {
  // proto3 leaves an empty string out.
  if (value === '') return Buffer.alloc(0)
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([tag, ...varint(bytes.length)]), bytes])
}

/**
 * The `sub` claim that Dex gives a user of a connector: base64url of a protobuf message with both ids.
 *
 * An empty connector id stands for the client_credentials grant, with the client's id as the user's.
 */
export function encodeDexSubject(userId: string, connectorId = ''): string {
  return Buffer.concat([stringField(0x0a, userId), stringField(0x12, connectorId)]).toString('base64url')
}
