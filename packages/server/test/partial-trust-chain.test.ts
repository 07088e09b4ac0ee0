import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DexTransport } from '../src/dex-transport.ts'

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8')
const leaf = fixture('chain-leaf.crt')
const intermediate = fixture('chain-intermediate.crt')
// As servers should: without the root.
const server = createServer({ cert: leaf + intermediate, key: fixture('chain-leaf.key') }, (_, response) =>
  response.end('{}'),
)

beforeAll(() => new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => new Promise(resolve => server.close(resolve)))

async function statusWhenTrusting(caCertificates: string | undefined): Promise<number> {
  const dex = new DexTransport({ timeoutMs: 5_000, caCertificates, maxConnections: 1 })
  try {
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/token`
    const { signal } = new AbortController()
    return (await dex.transport(url, { method: 'GET', headers: {}, redirect: 'manual', signal })).status
  } finally {
    await dex.close()
  }
}

test.each([
  ['the root', fixture('chain-root.crt')],
  ['the intermediate', intermediate],
  ['the very certificate', leaf],
])('a trust file with %s alone is enough', async (_, certificates) => {
  expect(await statusWhenTrusting(certificates)).toBe(200)
})

test.each([
  ['another authority', fixture('dex-tls.crt')],
  ['none', undefined],
])('a trust file with %s is not', async (_, certificates) => {
  await expect(statusWhenTrusting(certificates)).rejects.toMatchObject({
    code: expect.stringMatching(/^(?:UNABLE_TO_|SELF_SIGNED_)/),
  })
})
