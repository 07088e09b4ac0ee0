import type { CheckFacts, Verdict } from '@broker/core'
import type { Checks, ReceivedCheck } from '../checks.ts'
import { type Attributes, readAttributes } from './attributes-reader.ts'
import { responseFrame } from './check-response.ts'
import type { GrpcCall } from './grpc-call.ts'
import type { UnaryMethod } from './grpc-method.ts'
import { requestLineFault } from './request-line-fault.ts'

/** The service that Envoy calls. */
export const authorizationService = 'envoy.service.auth.v3.Authorization'

/** Answers `Authorization/Check`, through the same checks as HTTP; `sendsMetadata`: with facts about each check. */
export function authorizationCheck(checks: Checks, sendsMetadata: boolean): UnaryMethod {
  return {
    kind: 'unary',
    answer(message, call) {
      const facts = sendsMetadata ? {} : checks.newFacts()
      const request = new GrpcCheckRequest(readAttributes(message), call, checks, facts)
      const fault = requestLineFault(request)
      const verdict = fault === undefined ? checks.decide(request) : checks.refuse(fault, request)
      const sent = sendsMetadata ? facts : undefined
      return verdict instanceof Promise ? responseLater(verdict, sent) : responseFrame(verdict, sent)
    },
  }
}

async function responseLater(waiting: Promise<Verdict>, facts: CheckFacts | undefined): Promise<Buffer> {
  return responseFrame(await waiting, facts)
}

/** A check as Envoy describes it over gRPC. Its signal and timeout are created only for a check that has to wait. */
class GrpcCheckRequest implements ReceivedCheck {
  readonly headers: readonly string[]
  readonly joinedHeaders: boolean
  readonly method: string | undefined
  readonly path: string | undefined
  readonly maskedPath: boolean
  readonly context: Readonly<Record<string, string>> | undefined
  readonly facts: CheckFacts | undefined
  readonly #call: GrpcCall
  readonly #checks: Checks

  constructor(attributes: Attributes, call: GrpcCall, checks: Checks, facts: CheckFacts | undefined) {
    this.headers = attributes.headers
    this.joinedHeaders = attributes.joinedHeaders
    this.method = attributes.method
    this.path = attributes.path
    this.maskedPath = attributes.maskedPath
    this.context = attributes.context
    this.facts = facts
    this.#call = call
    this.#checks = checks
  }

  get logFields(): Readonly<Record<string, string>> {
    return this.#checks.logFieldsOf(this)
  }

  get proxyHeaders(): readonly string[] {
    return this.#call.traceHeaders
  }

  get timeoutMs(): number | undefined {
    return this.#call.timeoutMs
  }

  get signal(): AbortSignal {
    return this.#call.signal
  }
}
