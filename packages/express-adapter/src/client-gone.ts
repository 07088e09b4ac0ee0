import type { ServerResponse } from 'node:http'

interface Answer {
  readonly clientGone: AbortSignal
  readonly callbacks: Set<() => void>
}

/** One state and one listener per response. */
const answers = new WeakMap<ServerResponse, Answer>()

/** Returns a signal that aborts with an `AbortError` when the client closes the connection before its answer is complete. */
export function clientGone(response: ServerResponse): AbortSignal {
  return answerOf(response).clientGone
}

/** Calls `callback` when the answer ends, complete or not, unless `stop` is called before. */
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
