import type { ServerResponse } from 'node:http'
import type { NextFunction } from 'express'
import { clientGone } from './client-gone.ts'

/** Calls `next` when the work is done, or with its error; not at all when the client has left meanwhile. */
export function proceedAfter(work: Promise<void>, response: ServerResponse, next: NextFunction): void {
  const gone = clientGone(response)
  work.then(
    () => {
      if (!gone.aborted) next()
    },
    error => {
      if (!gone.aborted) next(asError(error))
    },
  )
}

/** `next(undefined)` would let the request pass, and `next('route')` skip the handlers that guard it. */
function asError(error: unknown): object {
  if (typeof error === 'object' && error !== null) return error
  return new Error('a middleware failed', { cause: error })
}
