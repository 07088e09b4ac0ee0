import fc from 'fast-check'

/**
 * Request targets that mean one thing to a client, another to a framework and a third to Envoy. The probe, the pages of
 * the operator and the check itself are where a resolved dot segment would lead.
 */
export const hostileTargets: readonly string[] = [
  '/healthz',
  '/healthz/',
  '/healthz?a=1',
  '//healthz',
  '/./healthz',
  '/readyz',
  '/metrics',
  '/../healthz',
  '/../../healthz',
  '/orders/../../healthz',
  '/orders/../../../healthz',
  '/%2e%2e/healthz',
  '/%2E%2E/healthz',
  '/.%2e/healthz',
  '/%2e%2e%2fhealthz',
  '/..%2fhealthz',
  '/..%5chealthz',
  '/..\\healthz',
  '/%252e%252e/healthz',
  '/..;/healthz',
  '/..;a=b/healthz',
  '/;/../healthz',
  '/orders//../..//healthz',
  '/orders/%2e%2e/%2e%2e/healthz',
  '/orders/..%00/../healthz',
  '/check',
  '/check/',
  '/check/orders',
  '/check?a=1',
  '/check/../healthz',
  '/check/%2e%2e/healthz',
  '/check/../../healthz',
  '/check%2f..%2fhealthz',
  '/checked',
  '/CHECK/orders',
  '/orders?next=/../healthz',
  '/orders#/../healthz',
  '/orders%3f/../healthz',
  '/a:b@c/../healthz',
  '/%',
  '/%zz/../healthz',
  '/%c0%ae%c0%ae/healthz',
  '/%ef%bc%8e%ef%bc%8e/healthz',
  '/\xe9/../healthz',
  'http://backend.example/healthz',
  'http://backend.example/../healthz',
  'http://backend.example//healthz',
  'https://user:password@backend.example/healthz',
  '*',
  'healthz',
  '../healthz',
  '?healthz',
]

/** Values of Host that frameworks refuse, or take for something else. */
export const hostileHosts: readonly string[] = [
  'localhost',
  '127.0.0.1:8081',
  'backend.example:99999',
  'backend.example:',
  'user@backend.example',
  'backend.example/healthz',
  'backend.example?x',
  'backend.example#x',
  '[::1]',
  '[::1',
  'b\xfccher.example',
  'backend_example',
  'a b',
  '..',
  '%2e%2e',
  '',
]

const pathPieces = fc.constantFrom(
  ...[
    '/',
    '//',
    '.',
    '..',
    '%2e',
    '%2E%2e',
    '%2f',
    '%5c',
    '\\',
    ';',
    '..;',
    '%00',
    '%',
    '?',
    '#',
    '@',
    ':',
    '\xe9',
  ],
  ...['healthz', 'check', 'readyz', 'metrics', 'orders'],
)
/** Targets made of such pieces. */
export const oddTargets: fc.Arbitrary<string> = fc
  .array(pathPieces, { maxLength: 10 })
  .map(pieces => `/${pieces.join('')}`)

/** Headers by which frameworks and proxies take another path or host for the request's. */
export const misleadingHeaders: readonly string[] = [
  'x-envoy-auth-headers-to-remove',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-original-path',
  'x-forwarded-host',
  'x-forwarded-path',
  'x-original-url',
  'x-rewrite-url',
]
