import type { ServerResponse } from 'node:http'
import type { NextFunction } from 'express'
import { clientGone } from './client-gone.ts'

/** Calls `next` after the work, or with its error; not at all when the client has closed the connection. */
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

/** Wraps values that are not errors: `next(undefined)` would admit the request, and `next('route')` would skip its guards. */
function asError(error: unknown): object {
  if (typeof error === 'object' && error !== null) return error
  return new Error('a middleware failed', { cause: error })
}
