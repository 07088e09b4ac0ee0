import type { BrokerError, MaybePromise, RefusalVerdict, Span, Tracer, Verdict } from '@broker/core'
import {
  type CheckBroker,
  type CheckListener,
  type CheckProtocol,
  Checks,
  type ReceivedCheck,
} from '../checks.ts'
import { checkAttributes, verdictAttributes } from './check-attributes.ts'
import { parentOfCheck } from './parent-of.ts'
import { isSampled, TracedRequest } from './traced-request.ts'

/** Answers checks like {@link Checks}, each one with a span below the span of the proxy. */
export class TracedChecks extends Checks {
  readonly #tracer: Tracer
  readonly #protocol: CheckProtocol

  constructor(broker: CheckBroker, protocol: CheckProtocol, listener: CheckListener, tracer: Tracer) {
    super(broker, protocol, listener)
    this.#tracer = tracer
    this.#protocol = protocol
  }

  override decide(request: ReceivedCheck): MaybePromise<Verdict> {
    const span = this.#start(request)
    const traced = new TracedRequest(request, span)
    try {
      const verdict = super.decide(traced)
      if (verdict instanceof Promise) return endLater(verdict, traced)
      end(traced, verdict)
      return verdict
    } catch (error) {
      span.end('server_error')
      throw error
    }
  }

  override refuse(error: BrokerError, request: ReceivedCheck): RefusalVerdict {
    const traced = new TracedRequest(request, this.#start(request))
    const verdict = super.refuse(error, traced)
    end(traced, verdict)
    return verdict
  }

  #start(request: ReceivedCheck): Span {
    return this.#tracer.start({
      name: 'check',
      kind: 'server',
      attributes: checkAttributes[this.#protocol],
      parent: parentOfCheck(request),
    })
  }
}

async function endLater(waiting: Promise<Verdict>, traced: TracedRequest): Promise<Verdict> {
  try {
    const verdict = await waiting
    end(traced, verdict)
    return verdict
  } catch (error) {
    // The caller left.
    traced.span.end(traced.signal?.aborted ? 'cancelled' : 'server_error')
    throw error
  }
}

function end({ span, facts }: TracedRequest, verdict: Verdict): void {
  if (isSampled(span)) span.setAttributes(verdictAttributes(verdict, facts ?? {}))
  // A refusal is the caller's fault, and not an error of the broker.
  span.end(verdict.outcome === 'error' ? verdict.code : undefined)
}
