import type { DexIdentity } from './dex-identity.ts'
import type { OpenConnector } from './open-connector.ts'

const kilgoreTrout: DexIdentity = {
  userID: '0-385-28089-0',
  username: 'Kilgore Trout',
  preferredUsername: '',
  email: 'kilgore@kilgore.trout',
  emailVerified: true,
  groups: ['authors'],
}

/** Dex's `mockCallback` connector: every subject token is about the same user. */
export const mockCallbackConnector: OpenConnector = {
  tokenIdentity: async () => kilgoreTrout,
}
