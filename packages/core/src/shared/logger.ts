/** A structured logger; a pino logger fits. Fields and messages never contain a secret, a token or a JWT. */
export interface Logger {
  /** Details for diagnosis, such as each issued token. */
  debug(fields: object, message: string): void
  /** Normal events, such as a discovered issuer, and the end of an outage. */
  info(fields: object, message: string): void
  /** Events that an operator should know, such as an opened circuit. */
  warn(fields: object, message: string): void
  /** Failures, with a `hint` where the broker has one. */
  error(fields: object, message: string): void
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
}
