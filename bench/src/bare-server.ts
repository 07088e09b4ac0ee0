// The floor: Node's HTTP server, which gives every request the same answer. Takes the headers as JSON in its argument.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const headers: Record<string, string> = JSON.parse(process.argv[2] ?? '{}')
const server = createServer({ keepAliveTimeout: 75_000, maxHeaderSize: 64 * 1024 }, (_request, response) => {
  response.writeHead(200, headers)
  response.end()
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`)
})
process.on('SIGTERM', () => process.exit())
