import { cp, mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Broker, BrokerError, createFetch, TokenBroker } from '@broker/core'
import { startDevDex } from '@broker/dev-dex'
import { startRecordingServer } from '@broker/testing'
import { expect, test } from 'vitest'

/** Another installed copy of the package: the same files at another place, so every class of it is another one. */
async function otherCopy() {
  const entry = createRequire(import.meta.url).resolve('@broker/core')
  const installed = path.join(entry, '../..')
  // Beside the installed one, so that its dependencies are found.
  const folder = await mkdtemp(path.join(installed, '.other-copy-'))
  await cp(path.join(installed, 'dist'), path.join(folder, 'dist'), { recursive: true })
  await cp(path.join(installed, 'package.json'), path.join(folder, 'package.json'))
  const copy: typeof import('@broker/core') = await import(
    pathToFileURL(path.join(folder, 'dist/index.js')).href
  )
  return { copy, remove: () => rm(folder, { recursive: true }) }
}

test('a broker of another installed copy serves createFetch, a 401 and its replacement included', async () => {
  const { copy, remove } = await otherCopy()
  try {
    expect(copy.TokenBroker).not.toBe(TokenBroker)
    await using dex = await startDevDex({ clients: [{ id: 'reports', secret: 'reports-secret' }] })
    await using foreign = new copy.TokenBroker({
      tokenEndpoint: dex.tokenEndpoint,
      client: { clientId: 'reports', clientSecret: 'reports-secret' },
    })
    const seen: string[] = []
    await using backend = await startRecordingServer((request, response) => {
      seen.push(request.headers.authorization ?? '')
      response.writeHead(seen.length === 1 ? 401 : 200).end()
    })
    // A type of this copy, a broker of the other one: it compiles.
    const broker: Broker = foreign
    const response = await createFetch(broker, { allow: [backend.url] })(backend.url)
    expect(response.status).toBe(200)
    expect(new Set(seen).size).toBe(2)
    expect(dex.counts.tokenRequests).toBe(2)
  } finally {
    await remove()
  }
})

test('an error of another installed copy is known as one', async () => {
  const { copy, remove } = await otherCopy()
  try {
    await using foreign = new copy.TokenBroker({ tokenEndpoint: 'https://dex.example.com/token' })
    const error = await foreign.getToken().catch((reason: unknown) => reason)
    expect(error).not.toBeInstanceOf(BrokerError)
    expect(BrokerError.is(error) && error.code).toBe('missing_credentials')
  } finally {
    await remove()
  }
})
