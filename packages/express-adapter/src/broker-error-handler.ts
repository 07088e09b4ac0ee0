import { BrokerError, type RefusalOptions, refusalOf } from '@broker/core'
import type { ErrorRequestHandler } from 'express'
import { clientGone } from './client-gone.ts'
import { noteOwnRefusal } from './drop-refused-token.ts'

/**
 * Creates an error handler that answers a `BrokerError` with its status, `WWW-Authenticate`, `Retry-After` and a JSON body
 * without internal details.
 *
 * Any other error goes to `next`, and so does an error after the answer began. The abort of a client that closed the
 * connection ends here. Throws a `TypeError` for an invalid `realm`.
 */
export function brokerErrorHandler(options: RefusalOptions = {}): ErrorRequestHandler {
  // Validates the options now, not at the first error.
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
