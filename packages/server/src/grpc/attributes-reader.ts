import { GrpcFailure, grpcStatus } from './grpc-status.ts'
import { RouteContexts } from './route-contexts.ts'
import { WireReader } from './wire-reader.ts'

/** The parts of Envoy's `CheckRequest` that a check reads. */
export interface Attributes {
  /** Header lines in the form of Node's `rawHeaders`, without pseudo-headers; `host` is the authority of the request. */
  readonly headers: readonly string[]
  /** Whether repeated lines may have been joined with a comma. */
  readonly joinedHeaders: boolean
  readonly method: string | undefined
  /** The target with its query, as received. */
  readonly path: string | undefined
  /** Whether `path` may have `!` in place of bytes that are not UTF-8. */
  readonly maskedPath: boolean
  /** The values of the route; `undefined` when it has none. */
  readonly context: Readonly<Record<string, string>> | undefined
}

/**
 * Reads the message `envoy.service.auth.v3.CheckRequest`. It is read for every check, so without the generated code, which would
 * decode what nobody reads; proto/envoy has the numbers of the fields. Throws a `GrpcFailure` for a malformed message, and for one
 * that is not about an HTTP request.
 */
export function readAttributes(message: Buffer): Attributes {
  const attributes = new AttributesReader(message)
  attributes.read()
  if (!attributes.hasHttp) {
    throw new GrpcFailure(grpcStatus.invalidArgument, 'the message has no HTTP request')
  }
  return attributes
}

class AttributesReader implements Attributes {
  readonly headers: string[] = []
  joinedHeaders = false
  method: string | undefined
  path: string | undefined
  maskedPath = true
  context: Readonly<Record<string, string>> | undefined
  hasHttp = false
  /** The target with all its bytes. */
  #rawPath: string | undefined
  #host: string | undefined
  /** As bytes in Latin-1. */
  readonly #contextEntries: string[] = []
  readonly #reader: WireReader

  constructor(message: Buffer) {
    this.#reader = new WireReader(message)
  }

  read(): void {
    const reader = this.#reader
    while (reader.next()) {
      if (reader.field === 1) this.#attributeContext()
      else reader.skip()
    }
    if (this.#rawPath !== undefined) {
      this.path = this.#rawPath
      this.maskedPath = false
    }
    if (this.#host) this.headers.push('host', this.#host)
    if (this.#contextEntries.length > 0) this.context = routeContexts.of(this.#contextEntries)
  }

  #attributeContext(): void {
    const reader = this.#reader
    const outer = reader.enter()
    while (reader.next()) {
      if (reader.field === 4) this.#request()
      else if (reader.field === 10) this.#contextEntries.push(reader.repeatedText())
      else reader.skip()
    }
    reader.leave(outer)
  }

  #request(): void {
    const reader = this.#reader
    const outer = reader.enter()
    while (reader.next()) {
      if (reader.field === 2) this.#httpRequest()
      else reader.skip()
    }
    reader.leave(outer)
  }

  #httpRequest(): void {
    const reader = this.#reader
    const outer = reader.enter()
    this.hasHttp = true
    while (reader.next()) {
      switch (reader.field) {
        case 2:
          this.method = reader.repeatedText() || undefined
          break
        case 3:
          this.#header(false)
          this.joinedHeaders = true
          break
        case 4:
          this.path = reader.latin1() || undefined
          break
        case 5:
          this.#host = withoutBlanks(reader.repeatedText())
          break
        case 13:
          this.#headerMap()
          break
        default:
          reader.skip()
      }
    }
    reader.leave(outer)
  }

  #headerMap(): void {
    const reader = this.#reader
    const outer = reader.enter()
    while (reader.next()) {
      if (reader.field === 1) this.#header(true)
      else reader.skip()
    }
    reader.leave(outer)
  }

  /**
   * An entry of the map, or a `HeaderValue`: both have the name in field 1 and the value in field 2. A `HeaderValue` can have it in 3 as
   * bytes, which then count, wherever in the message they are.
   */
  #header(mayBeRaw: boolean): void {
    const reader = this.#reader
    const outer = reader.enter()
    let name = ''
    let value = ''
    let raw = ''
    while (reader.next()) {
      if (reader.field === 1) name = reader.repeatedText()
      else if (reader.field === 2) value = reader.latin1()
      else if (reader.field === 3 && mayBeRaw) raw = reader.latin1()
      else reader.skip()
    }
    reader.leave(outer)
    if (name.charCodeAt(0) !== colon) this.headers.push(name, withoutBlanks(raw || value))
    else if (raw !== '' && name === ':path') this.#pathInHeaders(raw)
  }

  /** Other pseudo-headers only repeat what fields have. */
  #pathInHeaders(path: string): void {
    if (this.#rawPath !== undefined) {
      throw new GrpcFailure(grpcStatus.invalidArgument, 'the message has :path more than once')
    }
    this.#rawPath = path
  }
}

const colon = 0x3a

/** As parsers of HTTP do with the blanks around a value (RFC 9110 section 5.5). */
function withoutBlanks(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isBlank(value.charCodeAt(start))) start += 1
  while (end > start && isBlank(value.charCodeAt(end - 1))) end -= 1
  return value.slice(start, end)
}

function isBlank(character: number): boolean {
  return character === 0x20 || character === 0x09
}

const routeContexts = new RouteContexts()
