/** Where Envoy sends checks; the client's own target follows. */
const checkPath = '/check'

/** In the probe's answer, for those who ask what listens here. */
export const probeHeaders = { server: 'dex-token-broker' } as const

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
  if (target === checkPath || target.startsWith('/check/') || target.startsWith('/check?')) return 'check'
  return target === '/healthz' && !comesThroughEnvoy(rawHeaders) ? 'probe' : 'unknown'
}

/**
 * Returns the client's target in the target of a check; `undefined` when it has none: Envoy Gateway can call `/check` alone, and
 * a rule must not take that for `/`.
 */
export function clientTarget(target: string): string | undefined {
  return target.startsWith('/check/') ? target.slice(checkPath.length) : undefined
}

function comesThroughEnvoy(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some((text, index) => index % 2 === 0 && text.toLowerCase().startsWith('x-envoy-'))
}
