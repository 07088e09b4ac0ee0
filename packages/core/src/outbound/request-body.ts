/** The body of an outgoing call. */
export interface RequestBody {
  readonly value: NonNullable<RequestInit['body']> | null
  /** Size in bytes; `undefined` for a stream, which can be sent only once. */
  readonly size: number | undefined
}

/** Takes over a caller's body. Copies bytes, because the caller may reuse its buffer as soon as `fetch` returns. */
export function requestBody(value: RequestInit['body']): RequestBody {
  const size = bodySize(value)
  if (value === null || value === undefined) return { value: null, size }
  if (value instanceof URLSearchParams) return { value: new URLSearchParams(value), size }
  if (ArrayBuffer.isView(value)) {
    return { value: new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice(), size }
  }
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
    return { value: new Uint8Array(value).slice(), size }
  }
  return { value, size }
}

/** The size of a body in bytes; `undefined` for a body that can be sent only once, or not at all. */
export function bodySize(value: unknown): number | undefined {
  if (value === null || value === undefined) return 0
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
    return value.byteLength
  }
  if (value instanceof URLSearchParams) return Buffer.byteLength(value.toString())
  if (typeof value !== 'object') return undefined
  if (isBlob(value)) return value.size
  return isFormData(value) ? formDataSize(value) : undefined
}

// By name, because the package undici has its own classes.
function isBlob(value: object): value is Blob {
  const name = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]
  return (name === 'Blob' || name === 'File') && typeof (value as Blob).size === 'number'
}

function isFormData(value: object): value is FormData {
  // The package form-data has the same name and is a stream.
  return (
    (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === 'FormData' &&
    Symbol.iterator in value
  )
}

/** Ignores the short lines between the parts. */
function formDataSize(form: FormData): number {
  let size = 0
  for (const [name, value] of form) {
    size += Buffer.byteLength(name) + (typeof value === 'string' ? Buffer.byteLength(value) : value.size)
  }
  return size
}
