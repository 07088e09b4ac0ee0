import type { RequestListener, ServerResponse } from 'node:http'
import { type Answer, notFoundAnswer, textAnswer } from './answer.ts'
import { readClientCredentials } from './client-authentication.ts'
import { answerDiscovery } from './discovery-endpoint.ts'
import { type EndpointName, endpointRoutes, type FaultTarget } from './endpoint.ts'
import type { Fault } from './fault.ts'
import type { FaultSwitches } from './fault-switches.ts'
import { answerIntrospection } from './introspection-endpoint.ts'
import type { IssuerState } from './issuer-state.ts'
import { answerKeys } from './keys-endpoint.ts'
import { playFault } from './play-fault.ts'
import { type ReceivedRequest, receiveRequest } from './received-request.ts'
import type { RequestJournal } from './request-journal.ts'
import { answerToken } from './token-endpoint.ts'
import { answerUserinfo } from './userinfo-endpoint.ts'
import { writeAnswer } from './write-answer.ts'

type AnswerRequest = (state: IssuerState, request: ReceivedRequest) => Answer | Promise<Answer>

const routes: Readonly<Record<string, AnswerRequest>> = {
  [endpointRoutes.token]: answerToken,
  [endpointRoutes.keys]: answerKeys,
  [endpointRoutes.discovery]: answerDiscovery,
  '/token/introspect': answerIntrospection,
  '/userinfo': answerUserinfo,
  '/healthz': () => textAnswer(200, 'Health check passed'),
}

const countNames = {
  token: 'tokenRequests',
  keys: 'keysRequests',
  discovery: 'discoveryRequests',
} as const

/** The parts that a request handler uses. */
export interface RequestHandlerParts {
  readonly state: IssuerState
  readonly journal: RequestJournal
  readonly faults: FaultSwitches
  /** Ends the faults that are under way. */
  readonly signal: AbortSignal
}

/** Serves the issuer's endpoints, each with the fault that is set for it. */
export function createRequestHandler({
  state,
  journal,
  faults,
  signal,
}: RequestHandlerParts): RequestListener {
  const names = new Map<string, EndpointName>()
  const answers = new Map<string, AnswerRequest>()
  for (const [name, route] of Object.entries(endpointRoutes)) {
    names.set(state.location.path(route), name as EndpointName)
  }
  for (const [route, answer] of Object.entries(routes)) answers.set(state.location.path(route), answer)

  async function respond(request: ReceivedRequest, response: ServerResponse): Promise<void> {
    const name = names.get(request.path)
    if (name !== undefined) journal.count(countNames[name])
    if (name === 'token') journal.record(request)
    const answer = answers.get(request.path) ?? (() => notFoundAnswer)
    const trueAnswer = async () => {
      const made = await answer(state, request)
      if (name === 'token' && made.status === 200) journal.count('tokensIssued')
      return made
    }
    const fault = takeFault(name, request)
    if (fault === undefined) writeAnswer(response, await trueAnswer())
    else await playFault(fault, response, trueAnswer, endOf(response))
  }

  function takeFault(
    name: EndpointName | undefined,
    { path, headers, form }: ReceivedRequest,
  ): Fault | undefined {
    const presented = readClientCredentials(headers.authorization, form ?? new Map())
    const clientId = 'clientId' in presented ? presented.clientId : ''
    return faults.take(path as FaultTarget, clientId) ?? faults.take(name, clientId)
  }

  function endOf(response: ServerResponse): AbortSignal {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    return AbortSignal.any([signal, gone.signal])
  }

  return (request, response) => {
    // As all that the issuer says, by its own clock.
    response.setHeader('Date', new Date(state.now()).toUTCString())
    receiveRequest(request)
      .then(received => respond(received, response))
      // A client that leaves, or close(), ends a request in the middle of it: nobody is left to tell.
      .catch(() => response.destroy())
  }
}
