import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib'

type Decoder = (bytes: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>

const gzip: Decoder = promisify(gunzip)
const zlib: Decoder = promisify(inflate)
const rawDeflate: Decoder = promisify(inflateRaw)

const decoders: ReadonlyMap<string, Decoder> = new Map([
  ['gzip', gzip],
  ['x-gzip', gzip],
  // Some servers leave out the zlib header that RFC 9110 section 8.4.1.2 asks for.
  ['deflate', (bytes, options) => (hasZlibHeader(bytes) ? zlib : rawDeflate)(bytes, options)],
  ['br', promisify(brotliDecompress)],
])

const openingBrace = 0x7b

/**
 * A body without its content coding (RFC 9110 section 8.4.1), or `undefined` when it is longer than `maxBytes` then.
 *
 * Gzip, deflate and br are known. A body in another coding, or in none whatever the header says, is returned as it is:
 * some transports decode, and keep the header. No stream of the three begins with `{` and holds a JSON object.
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

/** RFC 1950 section 2.2: the method is deflate, and the two bytes are a multiple of 31. */
function hasZlibHeader(bytes: Buffer): boolean {
  return bytes.length > 1 && ((bytes[0] as number) & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0
}
