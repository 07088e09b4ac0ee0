import { readFileSync } from 'node:fs'

/** The rights of the user in docs/scaling.md, as an ACL rule. */
export function documentedStoreRights(): string {
  const page = readFileSync(new URL('../../../../docs/scaling.md', import.meta.url), 'utf8')
  const rules = /^user dex-token-broker on >\$PASSWORD (.+)"$/m.exec(page)?.[1]
  if (rules === undefined) throw new Error('docs/scaling.md has no user')
  return rules
}
