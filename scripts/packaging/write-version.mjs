// Writes core's version, as its package.json has it, into the constant that Dex is told: a package that has to run in
// bundles as well cannot read its manifest.
import { readFileSync, writeFileSync } from 'node:fs'

const core = new URL('../../packages/core/', import.meta.url)
const { version } = JSON.parse(readFileSync(new URL('package.json', core), 'utf8'))
writeFileSync(
  new URL('src/shared/version.ts', core),
  `/** The version of this package; a test compares it with package.json. */\nexport const version = '${version}'\n`,
)
