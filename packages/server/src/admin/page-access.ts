import type { IncomingMessage } from 'node:http'
import { isLocalOperator } from './is-local-operator.ts'

/** Who may see the pages for operators: those on this host, everybody who reaches the admin listener, or nobody. */
export type AdminPage = 'loopback' | 'on' | 'off'

/** Whether a request to the admin listener gets a page for operators; anybody else gets 404, as for a page that does not exist. */
export function answersPage(
  page: AdminPage,
  request: Pick<IncomingMessage, 'socket' | 'headers'> | undefined,
): boolean {
  if (page === 'loopback') return request !== undefined && isLocalOperator(request)
  return page === 'on'
}
