/** A check as Envoy sends it: the client's path behind `/check`, the client's Host, and Envoy's own headers. */
export function rawCheck(headers: Readonly<Record<string, string>>): string {
  const ofEnvoy = {
    'content-length': '0',
    'x-envoy-internal': 'true',
    'x-forwarded-for': '10.0.0.17',
    'x-envoy-expected-rq-timeout-ms': '5000',
  }
  return rawRequest('/check/orders/17?page=2', { ...ofEnvoy, ...headers })
}

/** A request as a client of Envoy sends it. */
export function rawRequest(path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ host: 'orders.example.com', ...headers })
  return `GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}

/** The headers of such a request that are the client's. */
export function clientHeadersIn(rawCheck: string): Record<string, string> {
  const [head = ''] = rawCheck.split('\r\n\r\n')
  const lines = head.split('\r\n').slice(1)
  const headers = lines.map(line => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 2)] as const
  })
  return Object.fromEntries(
    headers.filter(([name]) => !/^(host|content-length|x-envoy-.*|x-forwarded-for)$/.test(name)),
  )
}
