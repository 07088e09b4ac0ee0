/** The user that a subject token is about, and the end of that token. */
export interface Subject {
  /** The JWT. A secret. */
  readonly token: string
  /** The claim `iss`. */
  readonly issuer: string
  /** The claim `sub`. */
  readonly subject: string
  /** The claim `exp`, in milliseconds since the Unix epoch. No exchanged token is used for longer. */
  readonly expiresAt: number
}
