/** The kind of a request on the check listener. */
export type TargetKind = 'check' | 'probe' | 'unknown'

/**
 * Classifies a request by the target in its request line, before anything parses it as a URL.
 *
 * Envoy calls `/check` followed by the client's own path. A framework would resolve its dot segments:
 * the probe would answer `/check/../healthz` with 200, which lets the client's request pass without a token. For the
 * same reason, a request from Envoy is never the probe.
 */
export function targetKind(target: string, rawHeaders: readonly string[]): TargetKind {
  if (target === '/check' || target.startsWith('/check/') || target.startsWith('/check?')) return 'check'
  return target === '/healthz' && !comesThroughEnvoy(rawHeaders) ? 'probe' : 'unknown'
}

function comesThroughEnvoy(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some((text, index) => index % 2 === 0 && text.toLowerCase().startsWith('x-envoy-'))
}
