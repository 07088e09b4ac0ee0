/** How a command that gets a token ends, and what a script can do about it. */
export const exitStatus = {
  success: { code: 0, meaning: 'the token is on standard output' },
  wrongConfiguration: { code: 1, meaning: 'the configuration is wrong or has no client; correct it' },
  wrongUsage: {
    code: 2,
    meaning: 'wrong arguments, such as a client that is not configured; correct the call',
  },
  refused: {
    code: 3,
    meaning: 'Dex refused the client or its scope, or did not answer with a token; correct the client or Dex',
  },
  unavailable: {
    code: 4,
    meaning: 'Dex is unavailable, or the time was not enough; the same call can succeed later',
  },
  interrupted: { code: 130, meaning: 'interrupted by SIGINT; by SIGTERM, 143' },
} as const satisfies Readonly<Record<string, { readonly code: number; readonly meaning: string }>>
