import type { CheckRequest } from '@broker/core'
import type { Checks } from '../checks.ts'
import { type Attributes, readAttributes } from './attributes-reader.ts'
import { responseFrame } from './check-response.ts'
import type { GrpcCall } from './grpc-call.ts'
import type { UnaryMethod } from './grpc-method.ts'

/** The service that Envoy calls. */
export const authorizationService = 'envoy.service.auth.v3.Authorization'

/** Answers `Authorization/Check`, through the same checks as HTTP. */
export function authorizationCheck(checks: Checks): UnaryMethod {
  return {
    kind: 'unary',
    answer(message, call) {
      const verdict = checks.decide(new GrpcCheckRequest(readAttributes(message), call))
      return verdict instanceof Promise ? verdict.then(responseOf) : responseFrame(verdict)
    },
  }
}

const responseOf = (verdict: Parameters<typeof responseFrame>[0]): Buffer => responseFrame(verdict)

/** A check as Envoy describes it over gRPC. Its signal and timeout are created only for a check that has to wait. */
class GrpcCheckRequest implements CheckRequest {
  readonly headers: readonly string[]
  readonly joinedHeaders: boolean
  readonly method: string | undefined
  readonly path: string | undefined
  readonly context: Readonly<Record<string, string>> | undefined
  readonly #call: GrpcCall

  constructor(attributes: Attributes, call: GrpcCall) {
    this.headers = attributes.headers
    this.joinedHeaders = attributes.joinedHeaders
    this.method = attributes.method
    this.path = attributes.path
    this.context = attributes.context
    this.#call = call
  }

  get timeoutMs(): number | undefined {
    return this.#call.timeoutMs
  }

  get signal(): AbortSignal {
    return this.#call.signal
  }
}
