/** Wrong arguments of the command; the message tells what to write in their place. */
export class WrongArguments extends Error {}
