/** Puts the prefix of an uncompressed message before its parts. Parts are joined as they are, which merges them in Protobuf. */
export function messageFrame(...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const frame = Buffer.allocUnsafeSlow(5 + length)
  frame[0] = 0
  frame.writeUInt32BE(length, 1)
  let offset = 5
  for (const part of parts) {
    frame.set(part, offset)
    offset += part.length
  }
  return frame
}
