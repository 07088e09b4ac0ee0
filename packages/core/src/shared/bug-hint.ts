/** The hint of a log line about a bug; the line has the error as `err`. */
export const bugHint = 'report err as a bug of the broker'
