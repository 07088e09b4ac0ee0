import { type DevDex, startDevDex } from '@broker/dev-dex'
import { answerJson, type RecordingServer, startRecordingServer } from '@broker/testing'

/** The surroundings of a recipe: Dex, the API that it calls, and the variables that name them. */
export interface Surroundings extends AsyncDisposable {
  readonly dex: DevDex
  readonly api: RecordingServer
  readonly env: NodeJS.ProcessEnv
  /** The headers of a caller in these groups. */
  callerIn(...groups: string[]): { authorization: string }
}

/** Starts Dex with the clients of the recipes, and an API that answers `{"orders":3}`. */
export async function startSurroundings(): Promise<Surroundings> {
  const dex = await startDevDex({
    clients: [
      { id: 'reports', secret: 'reports-secret' },
      { id: 'orders', secret: 'orders-secret', trustedPeers: ['reports'] },
    ],
  })
  const api = await startRecordingServer(answerJson({ orders: 3 }))
  return {
    dex,
    api,
    env: { DEX_ISSUER: dex.issuer, CLIENT_SECRET: 'reports-secret', ORDERS_URL: api.url, NO_COLOR: '1' },
    callerIn: (...groups) => {
      const jwt = dex.userToken({
        client: 'reports',
        userID: 'ada',
        username: 'ada',
        email: 'ada@example.com',
        groups,
      })
      return { authorization: `Bearer ${jwt}` }
    },
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]()
      await dex.close()
    },
  }
}
