import type { JwtClaims } from './jwt/jwt.ts'

/** Tags of the fields of Dex's subject (`IDTokenSubject`): protobuf fields 1 and 2, both strings. */
const userIdTag = 0x0a
const connectorIdTag = 0x12

/**
 * Returns the client id of a machine by the claims of a token of Dex: a client that used the client_credentials grant.
 * `undefined` for a user, and for a token in a form that is not known.
 *
 * Dex makes `sub` of a user id and a connector id. For a client the user id is the client id and the connector id is empty,
 * which no user's can be. Instead of decoding `sub`, this encodes what the subject of the token's client must be: then there is
 * one spelling only, and nothing else is accepted.
 */
export function dexMachineOf({ sub, aud, azp }: JwtClaims): string | undefined {
  const clientId = clientOf(aud, azp)
  if (typeof sub !== 'string' || clientId === undefined || !isAsLongAs(sub, clientId)) return undefined
  const userId = stringField(userIdTag, clientId)
  return sub === encoded([userId]) || sub === encoded([userId, stringField(connectorIdTag, '')])
    ? clientId
    : undefined
}

/** Whether a subject is as long as the client's would be. Most users' are not, and encoding costs more than it. */
function isAsLongAs(sub: string, clientId: string): boolean {
  const idBytes = Buffer.byteLength(clientId)
  const bytes = 1 + varint(idBytes).length + idBytes
  return sub.length === base64urlLength(bytes) || sub.length === base64urlLength(bytes + 2)
}

function base64urlLength(bytes: number): number {
  return Math.ceil((bytes * 4) / 3)
}

/** Dex names the client in `aud`, or in `azp` when there are several audiences. */
function clientOf(aud: unknown, azp: unknown): string | undefined {
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  const client = audiences.length === 1 ? audiences[0] : azp
  // A lone surrogate would be encoded as another character.
  return typeof client === 'string' && client !== '' && client.isWellFormed() ? client : undefined
}

function stringField(tag: number, text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([tag, ...varint(bytes.length)]), bytes])
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return [...bytes, rest]
}

function encoded(fields: readonly Buffer[]): string {
  return Buffer.concat(fields).toString('base64url')
}
