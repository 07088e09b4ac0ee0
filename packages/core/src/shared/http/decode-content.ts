import { isUtf8 } from 'node:buffer'
import { parseJsonObject } from './parse-json-object.ts'

type Decoder = (bytes: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>
type Zlib = Record<
  'gunzip' | 'inflate' | 'inflateRaw' | 'brotliDecompress',
  (
    bytes: Buffer,
    options: { readonly maxOutputLength: number },
    done: (error: Error | null, decoded: Buffer) => void,
  ) => void
>

const gzip = decoderOf('gunzip')
const deflate = decoderOf('inflate')
const rawDeflate = decoderOf('inflateRaw')

const decoders: ReadonlyMap<string, Decoder> = new Map([
  ['gzip', gzip],
  ['x-gzip', gzip],
  // Some servers omit the zlib header that RFC 9110 section 8.4.1.2 requires.
  ['deflate', (bytes, options) => (hasZlibHeader(bytes) ? deflate : rawDeflate)(bytes, options)],
  ['br', decoderOf('brotliDecompress')],
])

const openingBrace = 0x7b

/**
 * Removes the content coding of a body (RFC 9110 section 8.4.1): gzip, deflate or br. Returns `undefined` when the decoded
 * body is longer than `maxBytes`.
 *
 * Returns a body in another coding unchanged, and one that is not encoded in spite of its header: some transports decode
 * and keep the header. Rejects with Node's error when the content ends too early.
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

/** Loads `node:zlib` with the first body that needs it: every request asks for `identity`. */
function decoderOf(name: keyof Zlib): Decoder {
  return async (bytes, options) => {
    const zlib: Zlib = await import('node:zlib')
    return new Promise((resolve, reject) => {
      zlib[name](bytes, options, (error, decoded) => (error === null ? resolve(decoded) : reject(error)))
    })
  }
}

/** The first byte is not enough: a raw deflate stream may begin with a brace, too. */
function isPlainJson(bytes: Buffer): boolean {
  return bytes[0] === openingBrace && parseJsonObject(bytes.toString()) !== undefined
}

/** A page may happen to begin like a stream of brotli or raw deflate, but a stream hardly ever reads like a page. */
function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !/[^\P{Cc}\t\r\n]/u.test(bytes.toString())
}

/** RFC 1950 section 2.2: the method is deflate, and the first two bytes are a multiple of 31. */
function hasZlibHeader(bytes: Buffer): boolean {
  return bytes.length > 1 && ((bytes[0] as number) & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0
}
