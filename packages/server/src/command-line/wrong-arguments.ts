/** Wrong arguments of a command, with a message for the user. */
export class WrongArguments extends Error {
  override readonly name = 'WrongArguments'
}
