// Writes core's version, as its package.json has it, into the constant that Dex is told: a package that has to run in
// bundles as well cannot read its manifest. And the server's version into the Helm chart, which is released with it.
import { readFileSync, writeFileSync } from 'node:fs'
import { chartWithVersion } from './chart-version.mjs'

const core = new URL('../../packages/core/', import.meta.url)
const { version } = JSON.parse(readFileSync(new URL('package.json', core), 'utf8'))
writeFileSync(
  new URL('src/shared/version.ts', core),
  `/** The version of this package; a test compares it with package.json. */\nexport const version = '${version}'\n`,
)

const server = new URL('../../packages/server/package.json', import.meta.url)
const chart = new URL('../../deploy/helm/dex-token-broker/Chart.yaml', import.meta.url)
const { version: chartVersion } = JSON.parse(readFileSync(server, 'utf8'))
writeFileSync(chart, chartWithVersion(readFileSync(chart, 'utf8'), chartVersion))
