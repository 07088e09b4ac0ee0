import type { AuthenticatedCaller, IncomingRequest } from '@broker/core'
import { type CelValue, celMapOf } from './cel-value.ts'

/** The variable `caller`. Claims are converted when a rule first reads them. */
export class CallerVariable {
  readonly issuer: string
  readonly subject: string
  readonly groups: readonly string[]
  readonly clientId: string | undefined
  readonly #source: AuthenticatedCaller
  #claims: Map<string, CelValue> | undefined

  constructor(caller: AuthenticatedCaller) {
    this.issuer = caller.issuer
    this.subject = caller.subject
    this.groups = caller.groups
    this.clientId = caller.clientId
    this.#source = caller
  }

  get claims(): Map<string, CelValue> {
    this.#claims ??= celMapOf(this.#source.claims)
    return this.#claims
  }
}

/** The variable `request`. */
export class RequestVariable {
  readonly #request: IncomingRequest
  #headers: Map<string, string | readonly string[]> | undefined

  constructor(request: IncomingRequest) {
    this.#request = request
  }

  get method(): string {
    return this.#request.method
  }

  get path(): string {
    return this.#request.path
  }

  get rawPath(): string {
    return this.#request.rawPath
  }

  get query(): string {
    return this.#request.query
  }

  get host(): string {
    return this.#request.host
  }

  get headers(): Map<string, string | readonly string[]> {
    this.#headers ??= new Map(Object.entries(this.#request.headers))
    return this.#headers
  }

  get time(): Date {
    return new Date(this.#request.time)
  }
}

/** The variables of one check. */
export class RuleVariables {
  readonly caller: CallerVariable | undefined
  readonly #source: IncomingRequest
  #request: RequestVariable | undefined
  #context: Map<string, string> | undefined

  constructor(caller: CallerVariable | undefined, request: IncomingRequest) {
    this.caller = caller
    this.#source = request
  }

  get request(): RequestVariable {
    this.#request ??= new RequestVariable(this.#source)
    return this.#request
  }

  get context(): Map<string, string> {
    this.#context ??= new Map(Object.entries(this.#source.context))
    return this.#context
  }
}

/** The members of `caller` with their CEL types. */
export const callerFields = {
  issuer: 'string',
  subject: 'string',
  groups: 'list<string>',
  clientId: 'string',
  claims: 'map<string, dyn>',
} as const

/** The members of `request` with their CEL types. */
export const requestFields = {
  method: 'string',
  path: 'string',
  rawPath: 'string',
  query: 'string',
  host: 'string',
  headers: 'map<string, dyn>',
  time: 'google.protobuf.Timestamp',
} as const
