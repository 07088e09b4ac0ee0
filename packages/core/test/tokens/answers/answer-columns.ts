import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'

/** Whose client, scope and audiences a token request has. */
export type Whose =
  | 'all configured'
  | 'all configured, with an audience'
  | 'configured client, scope of the caller'
  | 'client of the caller'
  | 'client and audience of the caller'

export const clients: Readonly<Record<Whose, true>> = {
  'all configured': true,
  'all configured, with an audience': true,
  'configured client, scope of the caller': true,
  'client of the caller': true,
  'client and audience of the caller': true,
}

export interface Body {
  readonly bytes: Buffer
  /** What a reader who knows RFC 6749 sees in it. */
  readonly holds:
    | 'a token'
    | 'a token that is too long'
    | 'an OAuth error'
    | 'the complaint of a TLS port'
    | 'else'
  /** The `error` of an OAuth error. */
  readonly error?: string
  readonly isJsonObject: boolean
}

const token = '{"access_token":"eyJh.eyJz.c2ln","token_type":"bearer","expires_in":3600}'

const holding = (holds: Body['holds'], text: string | Buffer, isJsonObject = true): Body => ({
  holds,
  bytes: Buffer.from(text as string),
  isJsonObject,
})
const object = (text: string | Buffer): Body => holding('else', text)
const text = (value: string | Buffer): Body => holding('else', value, false)
const oauth = (error: string, prefix = ''): Body => ({
  ...holding('an OAuth error', `${prefix}{"error":"${error}","error_description":"no"}`),
  error,
})

export const bodies = {
  'a token': holding('a token', token),
  'a token after a byte order mark': holding('a token', `\uFEFF${token}`),
  'a token between line ends': holding('a token', `\r\n${token}\n`),
  'a token without token_type': holding('a token', '{"access_token":"tok"}'),
  'a token with null members': holding(
    'a token',
    '{"access_token":"tok","token_type":null,"expires_in":null}',
  ),
  'a token beside an error': holding('a token', '{"access_token":"tok","error":"none"}'),
  'a token of 61 KiB': holding('a token that is too long', `{"access_token":"${'t'.repeat(61 * 1024)}"}`),
  'a token in UTF-16': text(Buffer.from(`\uFEFF${token}`, 'utf16le')),
  'a token in an array': text(`[${token}]`),
  'a token twice': text(token + token),
  'a token that ends early': text(token.slice(0, -9)),
  'an access_token that is empty': object('{"access_token":"","token_type":"bearer"}'),
  'an access_token that is a number': object('{"access_token":42}'),
  'an access_token with a line end': object('{"access_token":"a\\nb"}'),
  'a token of the type mac': object('{"access_token":"tok","token_type":"mac"}'),
  'a token with expires_in soon': object('{"access_token":"tok","expires_in":"soon"}'),
  nothing: text(''),
  'an empty object': object('{}'),
  'an empty array': text('[]'),
  'the word null': text('null'),
  'a page': text('<html><body>blocked</body></html>'),
  'a line of text': text('RBAC: access denied'),
  'more than 64 KiB': text(`{"padding":"${'x'.repeat(65 * 1024)}"}`),
  invalid_client: oauth('invalid_client'),
  'invalid_client after a byte order mark': oauth('invalid_client', '\uFEFF'),
  unauthorized_client: oauth('unauthorized_client'),
  invalid_scope: oauth('invalid_scope'),
  invalid_target: oauth('invalid_target'),
  invalid_request: oauth('invalid_request'),
  invalid_grant: oauth('invalid_grant'),
  access_denied: oauth('access_denied'),
  unsupported_grant_type: oauth('unsupported_grant_type'),
  server_error: oauth('server_error'),
  temporarily_unavailable: oauth('temporarily_unavailable'),
  'an OAuth error that is not registered': oauth('need_info'),
  'a status phrase as error': object('{"error":"bad_request"}'),
  'a title as error': object('{"status":403,"error":"Forbidden","path":"/dex/token"}'),
  'true as error': object('{"error":true}'),
  'an object as error': object('{"error":{"code":403,"message":"Permission denied"}}'),
  'an array with an OAuth code': text('["invalid_client"]'),
  'a message': object('{"message":"no Route matched with those values"}'),
  'a complaint of Go about plain HTTP': holding(
    'the complaint of a TLS port',
    'Client sent an HTTP request to an HTTPS server.\n',
    false,
  ),
  'a complaint of nginx about plain HTTP': holding(
    'the complaint of a TLS port',
    '<center>The plain HTTP request was sent to HTTPS port</center>',
    false,
  ),
} as const satisfies Record<string, Body>
export type BodyName = keyof typeof bodies

export interface Coding {
  readonly header: string | undefined
  readonly encode: (bytes: Buffer) => Buffer
  /** `breaks off`: it ends before its own end. `foreign`: nobody here can undo it. */
  readonly reads: 'well' | 'breaks off' | 'foreign'
  /** Whether its header names a coding that nobody here can undo, whatever the body is. */
  readonly isUnknown: boolean
}

const same = (bytes: Buffer) => bytes
const well = (header: string | undefined, encode: Coding['encode']): Coding => ({
  header,
  encode,
  reads: 'well',
  isUnknown: false,
})

export const codings = {
  none: well(undefined, same),
  identity: well('identity', same),
  gzip: well('gzip', bytes => gzipSync(bytes)),
  'GZIP in capitals': well('GZIP', bytes => gzipSync(bytes)),
  deflate: well('deflate', bytes => deflateSync(bytes)),
  'deflate without its header': well('deflate', bytes => deflateRawSync(bytes)),
  br: well('br', bytes => brotliCompressSync(bytes)),
  'gzip by name alone': well('gzip', same),
  'zstd by name alone': { ...well('zstd', same), isUnknown: true },
  'a coding nobody knows': {
    header: 'zstd',
    encode: bytes => Buffer.from(bytes.map(byte => byte ^ 0x80)),
    reads: 'foreign',
    isUnknown: true,
  },
  'gzip that ends early': {
    header: 'gzip',
    encode: bytes => gzipSync(bytes).subarray(0, -10),
    reads: 'breaks off',
    isUnknown: false,
  },
  'br that ends early': {
    header: 'br',
    encode: bytes => brotliCompressSync(bytes).subarray(0, -1),
    reads: 'breaks off',
    isUnknown: false,
  },
} as const satisfies Record<string, Coding>
export type CodingName = keyof typeof codings

export const contentTypes: Readonly<Record<string, readonly string[]>> = {
  none: [],
  json: ['application/json'],
  'json of utf-8': ['application/json; charset=utf-8'],
  'json of latin-1': ['application/json;charset=ISO-8859-1'],
  'json of utf-16': ['application/json; charset=utf-16'],
  'problem+json': ['application/problem+json'],
  html: ['text/html; charset=utf-8'],
  plain: ['text/plain'],
  'octet-stream': ['application/octet-stream'],
  'two of them': ['text/html', 'application/json'],
  'none that can be read': [';;;'],
}

export interface Headers {
  /** By the clock of the broker. */
  readonly lines: (nowMs: number) => readonly (readonly [name: string, value: string])[]
  /** How long to wait, when the headers name a time in the future; in milliseconds. */
  readonly retryAfterMs?: number
  /** How the body is framed. Default: by its length. */
  readonly framing?: 'chunks' | 'the end of the connection' | 'a length that is not reached'
}

const line = (name: string, value: string): Headers => ({ lines: () => [[name, value]] })

export const headers = {
  none: { lines: () => [] },
  'Retry-After in seconds': { ...line('Retry-After', '7'), retryAfterMs: 7_000 },
  'Retry-After as a date': {
    lines: nowMs => [['Retry-After', new Date(nowMs + 7_000).toUTCString()]],
    retryAfterMs: 7_000,
  },
  'Retry-After in the past': {
    lines: nowMs => [['Retry-After', new Date(nowMs - 60_000).toUTCString()]],
  },
  'Retry-After: 0': line('Retry-After', '0'),
  'Retry-After: 1.5': line('Retry-After', '1.5'),
  'Retry-After: -1': line('Retry-After', '-1'),
  'Retry-After: soon': line('Retry-After', 'soon'),
  'Retry-After of a year': { ...line('Retry-After', '31536000'), retryAfterMs: 3_600_000 },
  Location: line('Location', 'https://login.example.com/'),
  'Set-Cookie, twice': {
    lines: () => [
      ['Set-Cookie', 'a=1; Secure'],
      ['Set-Cookie', 'b=2'],
    ],
  },
  'Connection: close': line('Connection', 'close'),
  'a challenge for Basic': line('WWW-Authenticate', 'Basic realm="dex"'),
  'a challenge of a proxy': line('Proxy-Authenticate', 'Basic realm="proxy"'),
  'Age and Cache-Control': {
    lines: () => [
      ['Age', '60'],
      ['Cache-Control', 'public, max-age=600'],
    ],
  },
  'a body in chunks': { lines: () => [], framing: 'chunks' },
  'a body to the end of the connection': { lines: () => [], framing: 'the end of the connection' },
  'a Content-Length that is not reached': { lines: () => [], framing: 'a length that is not reached' },
} as const satisfies Record<string, Headers>
export type HeadersName = keyof typeof headers

/** Those of RFC 9110 and its neighbours, and those that gateways and content delivery networks make up. */
export const statuses: readonly number[] = [
  200, 201, 202, 203, 204, 205, 206, 207, 226, 300, 301, 302, 303, 304, 305, 307, 308, 400, 401, 402, 403,
  404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 417, 418, 421, 422, 423, 424, 425, 426, 428,
  429, 431, 451, 460, 463, 499, 500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 521, 522, 523, 524, 525,
  526, 527, 529, 530, 561, 599, 999,
]

export const transports = { undici: true, fetch: true } as const
export type TransportName = keyof typeof transports

/** What `fetch` keeps to itself, asks for once more, or takes for no answer, or decodes in its own way. */
export function passesFetch({ status, coding }: { status: number; coding: CodingName }): boolean {
  const { reads, isUnknown } = codings[coding]
  return (
    ![407, 421, 999].includes(status) && reads === 'well' && !isUnknown && coding !== 'gzip by name alone'
  )
}

/** Statuses whose answers never have a body (RFC 9110 section 6.4.1). */
export const statusesWithoutBody: ReadonlySet<number> = new Set([204, 304])
