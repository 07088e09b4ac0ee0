import type { Span } from '../shared/tracer.ts'
import type { CheckFacts } from './check-facts.ts'

/** A request to check. */
export interface CheckRequest {
  /** Header lines in the form of Node's `rawHeaders`: name, value, name, value. */
  readonly headers: readonly string[]
  /**
   * Whether `headers` may have repeated lines joined with a comma, as Envoy sends them over gRPC without `encode_raw_headers`. A
   * comma in a credential header is then refused with `invalid_request`, unless `credentialHeaders.allowJoined` is set. Default
   * `false`.
   */
  readonly joinedHeaders?: boolean | undefined
  /**
   * The method of the client's request. Read by rules only, which distinguish upper and lower case: refuse unknown methods such as
   * `delete` before, as Node's HTTP parser does.
   */
  readonly method?: string | undefined
  /** The target of the client's request as received: path and query, not decoded. Read by rules only. */
  readonly path?: string | undefined
  /**
   * Whether `path` may have `!` in place of bytes that are not UTF-8, as Envoy sends it. A path with `!` is then ambiguous for rules.
   * Default `false`.
   */
  readonly maskedPath?: boolean | undefined
  /**
   * Values that the proxy adds for a route: `context_extensions` of Envoy. Read by rules, and for the option `routeClients`. Must
   * come from the proxy, never from its client. Default: none.
   */
  readonly context?: Readonly<Record<string, string>> | undefined
  /** An empty object, into which the check writes what it finds out; for one check only. Default: none, which costs nothing. */
  readonly facts?: CheckFacts | undefined
  /**
   * Fields for each log line that the check causes, such as a request id. Read only when a line is written, or when the check has to
   * wait. Values come from callers: bound them, and remove control characters. Default: none.
   */
  readonly logFields?: Readonly<Record<string, string>> | undefined
  /**
   * Limit of the caller's wait, in milliseconds; at most `requestTimeoutMs`. Read only when a wait is needed. Default:
   * `requestTimeoutMs`.
   */
  readonly timeoutMs?: number | undefined
  /** Ends this caller's wait; `check` then rejects with the signal's reason. Read only when a wait is needed. */
  readonly signal?: AbortSignal | undefined
  /** The span of the check: the parent of a request that it starts, and linked to the span of the caller whose token request it joins. */
  readonly span?: Span | undefined
}
