// Answers with what reached it: path, headers and the claims of the token. It verifies nothing; a real backend must.
import { createServer } from 'node:http'

createServer(({ url, headers }, response) => {
  const [, payload] = (headers.authorization ?? '').split('.')
  const claims = payload && JSON.parse(Buffer.from(payload, 'base64url'))
  response.end(`${JSON.stringify({ path: url, headers, claims }, undefined, 2)}\n`)
}).listen(9000, '127.0.0.1')
