import assert from 'node:assert/strict'

/** A secret in the seeds, which no message may contain. No dictionary has it. */
export const secret = 'fz-s3cr3t-0TbQ8mWv'

/** Fails when a text has the secret. */
export function assertHidesSecret(text: string): void {
  assert.ok(!text.includes(secret), `the secret is shown: ${text}`)
}
