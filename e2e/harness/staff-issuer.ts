import { randomUUID } from 'node:crypto'
import { encodeDexSubject } from '@broker/dev-dex'
import { startDex } from './dex.ts'

/** The client that people log in with; their JWTs have it as audience. */
const login = { id: 'orders', secret: 'orders-login-secret' }

/** A person of the staff issuer. */
export interface Person {
  readonly userID: string
  readonly email: string
  readonly password: string
  readonly name: string
  readonly groups: readonly string[]
}

/** The provider of people's JWTs: another Dex than the one that issues the broker's tokens. */
export interface StaffIssuer extends AsyncDisposable {
  readonly issuer: string
  /** The subject of a person in JWTs of this issuer. */
  subjectOf(person: Person): string
  /** A new ID token of a person. Without the scopes `email` and `profile`, an OIDC connector of Dex denies it. */
  jwtOf(person: Person, scope?: string): Promise<string>
}

export async function startStaffIssuer(people: readonly Person[]): Promise<StaffIssuer> {
  const dex = await startDex({ clients: [login], users: people, passwordConnector: 'local' })
  return {
    issuer: dex.issuer,
    subjectOf: ({ userID }) => encodeDexSubject(userID, 'local'),
    jwtOf: async ({ email, password }, scope = 'openid email profile groups') => {
      // Without the nonce, two JWTs of the same second are equal.
      const form = { grant_type: 'password', username: email, password, scope, nonce: randomUUID() }
      const { id_token: idToken } = await tokensFrom(dex, login, form)
      return String(idToken)
    },
    [Symbol.asyncDispose]: () => dex[Symbol.asyncDispose](),
  }
}

/** Requests tokens as a client, without the broker. */
export async function tokensFrom(
  { tokenEndpoint }: { readonly tokenEndpoint: string },
  { id, secret }: { readonly id: string; readonly secret: string },
  form: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, unknown>>> {
  const pair = [id, secret].map(encodeURIComponent).join(':')
  const response = await fetch(tokenEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    body: new URLSearchParams(form),
  })
  if (!response.ok) throw new Error(`${tokenEndpoint} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as Record<string, unknown>
}
