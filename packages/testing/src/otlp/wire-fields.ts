/** The fields of a protobuf message by their numbers, in the order of the bytes; numbers as 64 bits without a sign. */
export type WireFields = ReadonlyMap<number, readonly (Buffer | bigint)[]>

/** Reads the wire format of protobuf, without knowing the message. Throws a `RangeError` for bytes that end too early. */
export function wireFields(bytes: Buffer): WireFields {
  const fields = new Map<number, (Buffer | bigint)[]>()
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError('the message ends too early')
    at += length
    return bytes.subarray(at - length, at)
  }
  const read = (wireType: number): Buffer | bigint => {
    if (wireType === 0) return varint()
    if (wireType === 1) return take(8).readBigUInt64LE()
    if (wireType === 2) return take(Number(varint()))
    if (wireType === 5) return BigInt(take(4).readUInt32LE())
    throw new RangeError(`no message has the wire type ${wireType}`)
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const value = read(tag & 7)
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value])
  }
  return fields
}

/** The messages, texts or bytes in a field. */
export function bytesIn(fields: WireFields, number: number): readonly Buffer[] {
  return (fields.get(number) ?? []).filter(value => Buffer.isBuffer(value))
}

/** The number in a field; 0 when it is absent. */
export function numberIn(fields: WireFields, number: number): bigint {
  const value = fields.get(number)?.at(-1)
  return typeof value === 'bigint' ? value : 0n
}

/** The text in a field; empty when it is absent. */
export function textIn(fields: WireFields, number: number): string {
  return bytesIn(fields, number).at(-1)?.toString('utf8') ?? ''
}
