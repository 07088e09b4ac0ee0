/** What a request on the check listener is, by its raw target. */
export type TargetKind = 'check' | 'probe' | 'unknown'

/**
 * Decides by the request target as it stands on the request line, before anything parses it as a URL.
 *
 * Envoy calls `/check` followed by the client's own path. A framework would resolve the dot segments in it: then
 * `/check/../healthz` would be answered 200 by the probe, and 200 lets the client's request pass without a token.
 * For the same reason a request that comes through Envoy is never the probe.
 */
export function targetKind(target: string, rawHeaders: readonly string[]): TargetKind {
  if (target === '/check' || target.startsWith('/check/') || target.startsWith('/check?')) return 'check'
  return target === '/healthz' && !comesThroughEnvoy(rawHeaders) ? 'probe' : 'unknown'
}

function comesThroughEnvoy(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some((text, index) => index % 2 === 0 && text.toLowerCase().startsWith('x-envoy-'))
}
