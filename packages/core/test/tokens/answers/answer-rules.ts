import type { BrokerErrorCode } from '../../../src/shared/errors.ts'
import type { Hint } from '../../../src/shared/hint.ts'
import type { Body, Whose } from './answer-columns.ts'

/** What counts in an answer, by the columns that it was made from. */
export interface Facts {
  readonly status: number
  /** `unreadable`: in a coding that nobody here can undo. */
  readonly holds: Body['holds'] | 'unreadable'
  readonly error: string | undefined
  readonly isJsonObject: boolean
  /** Whether the content coding has a name that nobody here knows. */
  readonly codingIsUnknown: boolean
  /** Whether the answer ends before its end. */
  readonly breaksOff: boolean
  readonly retryAfterMs: number | undefined
  readonly whose: Whose
}

export interface AnswerRule {
  /** The condition in words: "what came back". */
  readonly when: string
  readonly applies: (facts: Facts) => boolean
  /** `token`: the caller gets one. */
  readonly code: BrokerErrorCode | 'token'
  readonly status: number
  /** Whether this may pass by itself. */
  readonly transient: boolean
  /** Whether one call asks up to three times. */
  readonly retried: boolean
  /**
   * What the next callers meet who ask for the same token: `remembered` for `negativeCacheTtlMs`, also only when it
   * came `twice`; `pauses`, the circuit of the client is open; `asked`, the token endpoint is asked again.
   */
  readonly next: 'remembered' | 'remembered when it came twice' | 'pauses' | 'asked'
  /** `obeyed`: passed on, nobody asks before, and there is no retry. */
  readonly retryAfter: 'obeyed' | 'passed on' | 'ignored'
  /** A token that still lives, in its safety margin. */
  readonly livingToken: 'replaced' | 'used until its expiry' | 'not used in its margin' | 'dropped'
  readonly hint: Pick<Hint, 'problem' | 'option'> | undefined
}

const at =
  (...expected: number[]) =>
  ({ status }: Facts) =>
    expected.includes(status)
const tokenEndpoint = (problem: Hint['problem']) => ({ problem, option: 'tokenEndpoint' })

const judging = at(400, 401, 403)
/** RFC 6749 sections 4.1.2.1 and 5.2, RFC 8693, RFC 8707, Dex, and Entra. */
const registered = new Set<string | undefined>([
  'access_denied',
  'invalid_client',
  'invalid_grant',
  'invalid_request',
  'invalid_resource',
  'invalid_scope',
  'invalid_target',
  'server_error',
  'temporarily_unavailable',
  'unauthorized_client',
  'unsupported_grant_type',
])
const isVerdict = (facts: Facts) => judging(facts) && facts.holds === 'an OAuth error'
const says =
  (...errors: string[]) =>
  (facts: Facts) =>
    isVerdict(facts) && errors.includes(facts.error ?? '')
const isAboutClient = (facts: Facts) =>
  says('invalid_client', 'unauthorized_client')(facts) ||
  (isVerdict(facts) &&
    facts.status === 401 &&
    (facts.error === 'access_denied' || !registered.has(facts.error)))
const isAboutScope = says('invalid_scope', 'invalid_target', 'invalid_resource')

const clientIsConfigured = ({ whose }: Facts) =>
  !['client of the caller', 'client and audience of the caller'].includes(whose)
const allIsConfigured = ({ whose }: Facts) => whose.startsWith('all configured')
const hasAudience = ({ whose }: Facts) => whose.includes('audience')

/** What every rule of a kind has in common. */
const ofOperator = {
  code: 'invalid_token_response',
  status: 502,
  transient: false,
  retried: false,
  next: 'remembered',
  retryAfter: 'ignored',
  livingToken: 'not used in its margin',
} as const
const inFront = {
  code: 'invalid_token_response',
  status: 502,
  transient: true,
  retried: false,
  next: 'remembered when it came twice',
  retryAfter: 'passed on',
  livingToken: 'used until its expiry',
} as const
const cannotAnswer = { ...inFront, next: 'asked', retryAfter: 'obeyed' } as const
const misconfigured = {
  code: 'client_misconfigured',
  status: 502,
  transient: false,
  retried: false,
  next: 'remembered',
  retryAfter: 'passed on',
  livingToken: 'used until its expiry',
} as const
const rejected = {
  code: 'token_request_rejected',
  status: 401,
  transient: false,
  retried: false,
  next: 'remembered',
  retryAfter: 'passed on',
  livingToken: 'dropped',
} as const

/**
 * What is right, whatever a token endpoint or something in front of it answers: the first rule that applies.
 *
 * The next odd gateway is one more row, here, and a value in a column when no combination reaches it.
 */
export const answerRules: readonly AnswerRule[] = [
  {
    when: 'an answer that ends early: the connection closes, or compressed content is cut off',
    applies: ({ breaksOff }) => breaksOff,
    code: 'token_endpoint_unavailable',
    status: 503,
    transient: true,
    retried: true,
    next: 'asked',
    retryAfter: 'ignored',
    livingToken: 'used until its expiry',
    hint: tokenEndpoint('connection_closed'),
  },
  {
    when: '200 with a token, whatever the content type says',
    applies: facts => at(200)(facts) && facts.holds === 'a token',
    code: 'token',
    status: 200,
    transient: false,
    retried: false,
    next: 'remembered',
    retryAfter: 'ignored',
    livingToken: 'replaced',
    hint: undefined,
  },
  {
    when: '200 with a token longer than 60 KiB',
    applies: facts => at(200)(facts) && facts.holds === 'a token that is too long',
    ...ofOperator,
    hint: undefined,
  },
  {
    when: '200 with content that is not a JSON object, and a content coding other than gzip, deflate and br',
    applies: facts => at(200)(facts) && facts.codingIsUnknown && !facts.isJsonObject,
    ...ofOperator,
    hint: tokenEndpoint('encoded'),
  },
  {
    when: '200 without a usable token: a page, no content, an array, another `token_type`, an error',
    applies: at(200),
    ...ofOperator,
    hint: tokenEndpoint('not_dex'),
  },
  {
    when: '400, 401 or 403 with the OAuth error `server_error` or `temporarily_unavailable`',
    applies: says('server_error', 'temporarily_unavailable'),
    ...cannotAnswer,
    hint: tokenEndpoint('upstream_failed'),
  },
  {
    when: '400, 401 or 403 with the OAuth error `unsupported_grant_type`',
    applies: says('unsupported_grant_type'),
    ...ofOperator,
    hint: tokenEndpoint('grant_not_supported'),
  },
  {
    when: '400, 401 or 403 with `invalid_client` or `unauthorized_client`, or 401 with `access_denied` or an unregistered OAuth error; the client is configured',
    applies: facts => clientIsConfigured(facts) && isAboutClient(facts),
    ...misconfigured,
    hint: { problem: 'credentials_rejected', option: 'client' },
  },
  {
    when: '400, 401 or 403 with `invalid_request`; the client is configured',
    applies: facts => clientIsConfigured(facts) && says('invalid_request')(facts),
    ...misconfigured,
    hint: { problem: 'request_not_understood', option: 'client' },
  },
  {
    when: '400, 401 or 403 with `invalid_scope`, `invalid_target` or `invalid_resource`; client, scope and audiences are configured, with audiences',
    applies: facts => allIsConfigured(facts) && hasAudience(facts) && isAboutScope(facts),
    ...misconfigured,
    hint: { problem: 'peer_does_not_trust', option: 'client.audiences' },
  },
  {
    when: '400, 401 or 403 with `invalid_scope`, `invalid_target` or `invalid_resource`; client and scope are configured, without audiences',
    applies: facts => allIsConfigured(facts) && isAboutScope(facts),
    ...misconfigured,
    hint: { problem: 'scope_rejected', option: 'client.scope' },
  },
  {
    when: '400, 401 or 403 with any other OAuth error; client, scope and audiences are configured',
    applies: facts => allIsConfigured(facts) && isVerdict(facts),
    ...misconfigured,
    hint: { problem: 'client_refused', option: 'client' },
  },
  {
    when: '400, 401 or 403 with `invalid_scope`, `invalid_target` or `invalid_resource`; the caller brings the audiences',
    applies: facts => hasAudience(facts) && isAboutScope(facts),
    ...rejected,
    hint: { problem: 'peer_does_not_trust', option: 'client.audiences' },
  },
  {
    when: '400, 401 or 403 with any other OAuth error; the caller brings the client or the scope',
    applies: isVerdict,
    ...rejected,
    hint: undefined,
  },
  {
    when: '429',
    applies: at(429),
    ...cannotAnswer,
    code: 'token_endpoint_unavailable',
    status: 503,
    next: 'pauses',
    hint: undefined,
  },
  {
    when: '404',
    applies: at(404),
    ...ofOperator,
    hint: tokenEndpoint('path_not_found'),
  },
  {
    when: '405 or 410',
    applies: at(405, 410),
    ...ofOperator,
    hint: tokenEndpoint('status_of_no_token_endpoint'),
  },
  {
    when: '301, 302, 303, 307 or 308, with a `Location` or without',
    applies: at(301, 302, 303, 307, 308),
    ...ofOperator,
    hint: tokenEndpoint('redirects'),
  },
  {
    when: 'any other status below 400, such as 201, 204, 205 or 304',
    applies: ({ status }) => status < 400,
    ...ofOperator,
    hint: tokenEndpoint('status_of_no_token_endpoint'),
  },
  {
    when: 'any status from 500 on with a registered OAuth error: the server answers itself',
    applies: ({ status, holds, error }) =>
      status >= 500 && holds === 'an OAuth error' && registered.has(error),
    ...cannotAnswer,
    hint: tokenEndpoint('upstream_failed'),
  },
  {
    when: '502, 503 or 504, and 520 to 527 and 530 of a content delivery network',
    applies: at(502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527, 530),
    ...cannotAnswer,
    retried: true,
    hint: tokenEndpoint('upstream_unreachable'),
  },
  {
    when: '408 or 425',
    applies: at(408, 425),
    ...cannotAnswer,
    retried: true,
    hint: tokenEndpoint('proxy_in_front'),
  },
  {
    when: '500 without an OAuth error',
    applies: at(500),
    ...cannotAnswer,
    hint: tokenEndpoint('upstream_failed'),
  },
  {
    when: 'any other status from 500 on, such as 501, 511 or 529',
    applies: ({ status }) => status > 500,
    ...cannotAnswer,
    hint: tokenEndpoint('proxy_in_front'),
  },
  {
    when: '407',
    applies: at(407),
    ...inFront,
    hint: tokenEndpoint('proxy_wants_credentials'),
  },
  {
    when: '400 with what Go or nginx says to plain HTTP on a port for TLS',
    applies: facts => at(400)(facts) && facts.holds === 'the complaint of a TLS port',
    ...inFront,
    hint: tokenEndpoint('not_http'),
  },
  {
    when: '400, 401 or 403 with content that is not a JSON object, and a content coding other than gzip, deflate and br',
    applies: facts => judging(facts) && facts.codingIsUnknown && !facts.isJsonObject,
    ...inFront,
    hint: tokenEndpoint('encoded'),
  },
  {
    when: 'any other status from 400 on, and 400, 401 or 403 without an OAuth error: a firewall, mesh or gateway',
    applies: ({ status }) => status >= 400,
    ...inFront,
    hint: tokenEndpoint('proxy_in_front'),
  },
]
