import type { Clock } from '../shared/clock.ts'
import { BrokerError } from '../shared/errors.ts'
import { canonicalPath } from './canonical-path.ts'
import type { CheckRequest } from './check-request.ts'
import { type CredentialHeaderNames, singleHeader } from './credential-headers.ts'
import type { IncomingRequest } from './incoming-request.ts'

type Headers = Readonly<Record<string, string | readonly string[]>>

const noContext: Readonly<Record<string, string>> = Object.freeze({})

/** The request of a check, read as far as a rule asks. */
export class ReceivedRequest implements IncomingRequest {
  readonly #request: CheckRequest
  readonly #names: CredentialHeaderNames
  readonly #clock: Clock
  #target: string | undefined
  #path: string | undefined
  #isPathRead = false
  #host: string | undefined
  #headers: Headers | undefined
  #time: number | undefined

  constructor(request: CheckRequest, names: CredentialHeaderNames, clock: Clock) {
    this.#request = request
    this.#names = names
    this.#clock = clock
  }

  get method(): string {
    return this.#request.method ?? ''
  }

  get path(): string {
    const path = this.#canonicalPath()
    if (path === undefined)
      throw new BrokerError('forbidden', 'the path of the request is ambiguous or unknown')
    return path
  }

  get isPathClear(): boolean {
    return this.#canonicalPath() !== undefined
  }

  get rawPath(): string {
    const target = this.#readTarget()
    const end = target.indexOf('?')
    return end === -1 ? target : target.slice(0, end)
  }

  get query(): string {
    const target = this.#readTarget()
    const end = target.indexOf('?')
    return end === -1 ? '' : target.slice(end + 1)
  }

  get host(): string {
    // Envoy joins two lines of `host` with a comma, whatever it does with other headers.
    this.#host ??= singleHeader(this.#request.headers, 'host', true).toLowerCase()
    return this.#host
  }

  get headers(): Headers {
    this.#headers ??= headersWithout(this.#request.headers, this.#names)
    return this.#headers
  }

  get time(): number {
    this.#time ??= this.#clock.wall()
    return this.#time
  }

  get context(): Readonly<Record<string, string>> {
    return this.#request.context ?? noContext
  }

  #readTarget(): string {
    this.#target ??= this.#request.path ?? ''
    return this.#target
  }

  #canonicalPath(): string | undefined {
    if (!this.#isPathRead) {
      const path = this.rawPath
      const isMasked = this.#request.maskedPath === true && path.includes('!')
      this.#path = isMasked ? undefined : canonicalPath(path)
      this.#isPathRead = true
    }
    return this.#path
  }
}

/** Leaves out the client secret and the JWT, so that no rule puts them into a log or into another header. */
function headersWithout(
  lines: readonly string[],
  { clientSecret, jwt, basic }: CredentialHeaderNames,
): Headers {
  // Without a prototype, because a header may have any name.
  const headers: Record<string, string | string[]> = Object.create(null)
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const name = (lines[index] as string).toLowerCase()
    if (name === clientSecret || name === jwt || name === basic) continue
    const value = lines[index + 1] as string
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (typeof before === 'string') headers[name] = [before, value]
    else before.push(value)
  }
  for (const value of Object.values(headers)) Object.freeze(value)
  return Object.freeze(headers)
}
