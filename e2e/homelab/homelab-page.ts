import { readFileSync } from 'node:fs'

const page = readFileSync(new URL('../../docs/homelab.md', import.meta.url), 'utf8')
const row = /^\| `JWKS_MAX_AGE=(\w+)`[^|]*\| (\d+) (min|s) \|/gm
const unitMs = { min: 60_000, s: 1_000 }

/** The longest time from Dex's return until dead tokens are gone, in milliseconds, by the value of JWKS_MAX_AGE: as the page says. */
export const promisedMs: ReadonlyMap<string, number> = new Map(
  [...page.matchAll(row)].map(([, maxAge = '', number, unit]) => [
    maxAge,
    Number(number) * unitMs[unit as keyof typeof unitMs],
  ]),
)
