/** Why the store failed; its message contains nothing that was sent to the server. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure'
  /** First word of the server's answer, such as `OOM`, or the system's code, such as `ECONNREFUSED`. */
  readonly code: string | undefined

  /** Takes a message without a secret. */
  constructor(message: string, code?: string) {
    super(message)
    this.code = code
  }
}

const longestMessage = 200

/**
 * Makes a {@link StoreFailure} of an error of the client library, which carries the arguments of the command: records, and for
 * a new connection the password.
 */
export function storeFailure(error: unknown): StoreFailure {
  if (error instanceof StoreFailure) return error
  if (!(error instanceof Error)) return new StoreFailure('unknown failure')
  const { lastNodeError, code } = error as { lastNodeError?: unknown; code?: unknown }
  if (lastNodeError instanceof Error) return storeFailure(lastNodeError)
  // A Sentinel's answer is the end of the client's message.
  const answer = error.message.split('Last error: ').at(-1) || error.name
  // To `ERR unknown command`, some servers add what was sent.
  const message = (/^ERR( [a-z]+)*/.exec(answer)?.[0] ?? answer).slice(0, longestMessage)
  const serverCode = /^[A-Z]{2,}(?= )/.exec(message)?.[0]
  return new StoreFailure(message, typeof code === 'string' ? code : serverCode)
}
