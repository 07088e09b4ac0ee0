/** Time that the reader of the output has for the last lines, in milliseconds. */
export const lastLinesMs = 1_000
