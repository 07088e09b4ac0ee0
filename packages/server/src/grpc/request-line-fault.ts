import { METHODS } from 'node:http'
import { BrokerError, type CheckRequest } from '@broker/core'

const methods: ReadonlySet<string> = new Set(METHODS)

/**
 * Returns why a check over gRPC is refused for its method or target; `undefined` if it is not. Over HTTP, Node's parser and the check
 * listener refuse the same requests. A rule on `DELETE` would not match `delete`, which the backend may take for it.
 */
export function requestLineFault({
  method = '',
  path = '/',
}: Pick<CheckRequest, 'method' | 'path'>): BrokerError | undefined {
  if (method === 'CONNECT') return new BrokerError('forbidden', 'CONNECT is not allowed')
  if (!methods.has(method)) return new BrokerError('invalid_request', 'the method is unknown')
  if (!path.startsWith('/')) return new BrokerError('invalid_request', 'the target is not a path')
  return undefined
}
