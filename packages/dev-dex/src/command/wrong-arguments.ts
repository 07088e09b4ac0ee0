/** Wrong arguments of the command; the message says what to write in their place. */
export class WrongArguments extends Error {}
