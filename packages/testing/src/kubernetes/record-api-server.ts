// Records what a real kube-apiserver answers: KUBE_APISERVER_BIN=... ETCD_BIN=... node record-api-server.ts
import { writeFile } from 'node:fs/promises'
import { type ApiAnswer, type AskOptions, type RealApiServer, startRealApiServer } from './real-api-server.ts'
import type { RecordedAnswer, Recording } from './recorded-answers.ts'

const keptHeaders = ['cache-control', 'content-type', 'www-authenticate']

function kept({ status, headers, body }: ApiAnswer): RecordedAnswer {
  const entries = Object.entries(headers).filter(([name]) => keptHeaders.includes(name))
  return { status, headers: Object.fromEntries(entries), body }
}

/** Asks a real API server everything that the recording has. */
export async function record(server: RealApiServer): Promise<Recording> {
  const discovery = '/.well-known/openid-configuration'
  const keys = '/openid/v1/jwks'
  const ask = async (path: string, options?: AskOptions) => kept(await server.ask(path, options))
  const token = await server.requestToken({ namespace: 'jobs', name: 'nightly' })
  const accept = 'application/jwk-set+json, application/json'
  return {
    recordedAt: Date.now(),
    discovery: await ask(discovery, { token, accept: 'application/json' }),
    keys: await ask(keys, { token, accept }),
    keysAsJson: await ask(keys, { token, accept: 'application/json' }),
    anonymous: await ask(discovery, { token: null }),
    wrongToken: await ask(discovery, { token: 'none' }),
    tokenRequest: await ask('/api/v1/namespaces/jobs/serviceaccounts/nightly/token', {
      body: { spec: { audiences: ['dex-token-broker'], expirationSeconds: 3600 } },
    }),
  }
}

if (process.argv[1] === import.meta.filename) {
  const { KUBE_APISERVER_BIN: apiServer = '', ETCD_BIN: etcd = '' } = process.env
  await using server = await startRealApiServer({ apiServer, etcd })
  const file = new URL('recording.json', import.meta.url)
  await writeFile(file, `${JSON.stringify(await record(server), undefined, 2)}\n`)
}
