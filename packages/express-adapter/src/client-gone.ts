import type { ServerResponse } from 'node:http'

interface Answer {
  readonly clientGone: AbortSignal
  readonly callbacks: Set<() => void>
}

/** One state, and one listener, for each response, however many ask. */
const answers = new WeakMap<ServerResponse, Answer>()

/** Aborts when the client leaves before its answer is finished. */
export function clientGone(response: ServerResponse): AbortSignal {
  return answerOf(response).clientGone
}

/** Calls back when the answer is over, finished or not; until `stop` is called. */
export function onAnswerOver(response: ServerResponse, callback: () => void): { stop(): void } {
  const { callbacks } = answerOf(response)
  callbacks.add(callback)
  return { stop: () => void callbacks.delete(callback) }
}

function answerOf(response: ServerResponse): Answer {
  const known = answers.get(response)
  if (known !== undefined) return known
  const controller = new AbortController()
  const callbacks = new Set<() => void>()
  const onClose = () => {
    if (!response.writableFinished)
      controller.abort(new DOMException('the client closed the connection', 'AbortError'))
    for (const callback of callbacks) callback()
    callbacks.clear()
  }
  if (response.closed) onClose()
  else response.once('close', onClose)
  const answer = { clientGone: controller.signal, callbacks }
  answers.set(response, answer)
  return answer
}
