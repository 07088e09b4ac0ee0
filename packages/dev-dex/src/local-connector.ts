import { type DexUser, identityOfUser } from './dex-user.ts'
import type { OpenConnector } from './open-connector.ts'

/** The connector of static users, who log in with their email in any letter case. */
export function openLocalConnector(users: ReadonlyMap<string, DexUser>): OpenConnector {
  return {
    login(username, password) {
      const user = users.get(username.toLowerCase())
      return user?.password === password ? identityOfUser(user) : undefined
    },
  }
}
