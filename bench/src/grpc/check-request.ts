import { field, message, numberField } from './protobuf-fields.ts'

/** `GET /orders/17?page=2` with these headers, as Envoy with the shipped bootstrap asks about it (envoy.service.auth.v3.CheckRequest). */
export function checkRequest(headers: Readonly<Record<string, string>>): Buffer {
  const headerMap = Object.entries(headers).map(([name, value]) =>
    field(1, message(field(1, name), field(3, value))),
  )
  const http = message(
    field(1, '14062883390468410317'),
    field(2, 'GET'),
    field(4, '/orders/17?page=2'),
    field(5, 'orders.example.com'),
    field(6, 'http'),
    field(10, 'HTTP/1.1'),
    field(13, message(...headerMap)),
  )
  const time = message(numberField(1, 1_800_000_000), numberField(2, 123_456_789))
  const attributes = message(
    field(1, peer('10.0.0.17', 51_712)),
    field(2, peer('10.0.0.2', 10_000)),
    field(4, message(field(1, time), field(2, http))),
    field(10, message(field(1, 'route'), field(2, 'backend'))),
    field(11, ''),
    field(13, ''),
  )
  return field(1, attributes)
}

function peer(address: string, port: number): Buffer {
  return field(1, field(1, message(field(2, address), numberField(3, port))))
}
