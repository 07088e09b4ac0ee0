import { unknownName } from '../options/option-values.ts'
import type { Wait } from '../shared/wait-for.ts'
import { type TokenRequest, tokenRequestNames } from './token-request.ts'

const names: { readonly [Name in keyof Required<TokenRequest & Wait>]: true } = {
  ...tokenRequestNames,
  signal: true,
  timeoutMs: true,
  span: true,
}

/**
 * Throws a `TypeError` for a value that is not a token request. A promise or a misspelt name would otherwise count as an empty
 * request and yield the token of the configured client.
 */
// Runs for each lookup, so it allocates nothing.
export function assertTokenRequest(request: TokenRequest & Wait): void {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    throw new TypeError('a token request must be an object')
  }
  if (typeof (request as { then?: unknown }).then === 'function') {
    throw new TypeError('a token request must be an object, not a promise; await it first')
  }
  for (const name in request) if (!(name in names)) throw unknownName(name, Object.keys(names))
  const { client, clientId, clientSecret, scope, minRemainingMs } = request
  // `undefined` and `null` too: a failed lookup must not yield the token of the configured client.
  if (typeof client !== 'string' && 'client' in request) throw noString('client')
  if (!isText(clientId)) throw noString('clientId')
  if (typeof clientSecret === 'function') {
    throw new TypeError('clientSecret must be a string; put the function into the option client or clients')
  }
  if (!isText(clientSecret)) throw noString('clientSecret')
  if (!isText(scope)) throw noString('scope')
  if (!isMilliseconds(minRemainingMs)) {
    throw new TypeError('minRemainingMs must be a number of milliseconds, 0 or more')
  }
}

function isText(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'string'
}

function isMilliseconds(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'number' && value >= 0)
}

function noString(name: string): TypeError {
  return new TypeError(`${name} must be a string`)
}
