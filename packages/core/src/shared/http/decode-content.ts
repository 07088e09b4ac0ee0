import { isUtf8 } from 'node:buffer'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib'
import { parseJsonObject } from './parse-json-object.ts'

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
 * some transports decode, and keep the header. Rejects with Node's error when the content ends too early.
 */
export async function decodeContent(
  bytes: Buffer,
  contentEncoding: string | null,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const decode = decoders.get(contentEncoding?.trim().toLowerCase() ?? '')
  if (decode === undefined || bytes.length === 0 || isPlainJson(bytes)) return bytes
  try {
    return await decode(bytes, { maxOutputLength: maxBytes })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE') return undefined
    // Cut off on its way: no answer, as when the connection closes too early.
    if (code === 'Z_BUF_ERROR' && !isText(bytes)) throw error
    return bytes
  }
}

/** The first byte is not enough: a raw deflate stream may begin with a brace, too. */
function isPlainJson(bytes: Buffer): boolean {
  return bytes[0] === openingBrace && parseJsonObject(bytes.toString()) !== undefined
}

/** A page may happen to begin like a stream of brotli or raw deflate; hardly a stream reads like a page. */
function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !/[^\P{Cc}\t\r\n]/u.test(bytes.toString())
}

/** RFC 1950 section 2.2: the method is deflate, and the two bytes are a multiple of 31. */
function hasZlibHeader(bytes: Buffer): boolean {
  return bytes.length > 1 && ((bytes[0] as number) & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0
}
