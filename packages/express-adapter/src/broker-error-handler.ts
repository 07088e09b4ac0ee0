import { BrokerError, type RefusalOptions, refusalOf } from '@broker/core'
import type { ErrorRequestHandler } from 'express'
import { clientGone } from './client-gone.ts'
import { noteOwnRefusal } from './drop-refused-token.ts'

/**
 * Answers the broker's errors as `@broker/core` says: status, `WWW-Authenticate`, `Retry-After`, and a JSON body without
 * anything internal. Every other error, and one that comes after the answer began, goes on to `next`; only that a client
 * has left ends here, because there is nobody to answer. Throws a `TypeError` for a `realm` that no header can carry.
 */
export function brokerErrorHandler(options: RefusalOptions = {}): ErrorRequestHandler {
  // At the start, and not when the first error comes.
  refusalOf(new BrokerError('missing_credentials', ''), options)
  return (error, _request, response, next) => {
    const gone = clientGone(response)
    if (gone.aborted && error === gone.reason) return
    if (!BrokerError.is(error) || response.headersSent) {
      next(error)
      return
    }
    noteOwnRefusal(response)
    const { status, headers, body } = refusalOf(error, options)
    response.status(status).set(headers).send(body)
  }
}
