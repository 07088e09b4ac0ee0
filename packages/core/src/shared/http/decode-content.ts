import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib'

type Decoder = (bytes: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>

const gzip: Decoder = promisify(gunzip)
const zlib: Decoder = promisify(inflate)
const rawDeflate: Decoder = promisify(inflateRaw)

const decoders: ReadonlyMap<string, Decoder> = new Map([
  ['gzip', gzip],
  ['x-gzip', gzip],
  // Some servers omit the zlib header that RFC 9110 section 8.4.1.2 requires.
  ['deflate', (bytes, options) => (hasZlibHeader(bytes) ? zlib : rawDeflate)(bytes, options)],
  ['br', promisify(brotliDecompress)],
])

const openingBrace = 0x7b

/**
 * Removes the content coding of a body (RFC 9110 section 8.4.1): gzip, deflate or br. Returns `undefined` when the decoded
 * body is longer than `maxBytes`.
 *
 * Returns a body in another coding unchanged, and one that is not encoded in spite of its header: some transports decode
 * and keep the header. A stream of the three that begins with `{` is never a JSON object.
 */
export async function decodeContent(
  bytes: Buffer,
  contentEncoding: string | null,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const decode = decoders.get(contentEncoding?.trim().toLowerCase() ?? '')
  if (decode === undefined || bytes.length === 0 || bytes[0] === openingBrace) return bytes
  try {
    return await decode(bytes, { maxOutputLength: maxBytes })
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? undefined : bytes
  }
}

/** RFC 1950 section 2.2: the method is deflate, and the first two bytes are a multiple of 31. */
function hasZlibHeader(bytes: Buffer): boolean {
  return bytes.length > 1 && ((bytes[0] as number) & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0
}
