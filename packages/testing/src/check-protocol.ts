/** How Envoy asks the broker: ext_authz over HTTP/1.1, or over gRPC. */
export type CheckProtocol = 'http' | 'grpc'
