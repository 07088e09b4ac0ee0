import type { IncomingMessage } from 'node:http'
import type { Config } from '../../config/config.ts'
import { isLocalOperator } from '../is-local-operator.ts'

/** Whether the status page answers a request, by ADMIN_PAGE. */
export function answersPage(
  adminPage: Config['adminPage'],
  incoming: Pick<IncomingMessage, 'socket' | 'headers'> | undefined,
): boolean {
  if (adminPage === 'loopback') return incoming !== undefined && isLocalOperator(incoming)
  return adminPage === 'on'
}
