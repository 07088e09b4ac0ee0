/** A check as Envoy sends it: the client's path behind `/check`, the client's Host, and Envoy's own headers. */
export function rawCheck(headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({
    host: 'orders.example.com',
    'content-length': '0',
    'x-envoy-internal': 'true',
    'x-forwarded-for': '10.0.0.17',
    'x-envoy-expected-rq-timeout-ms': '5000',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET /check/orders/17?page=2 HTTP/1.1\r\n${lines.join('')}\r\n`
}
