import { readFileSync } from 'node:fs'
import path from 'node:path'
import { chartWithVersion } from '../packaging/chart-version.mjs'
import { chartValuesFaults, chartValuesTable } from './chart-markdown.mjs'

/** The folder of the Helm chart. */
export const chartFolder = 'deploy/helm/dex-token-broker'

/**
 * The files of the chart that repeat another source, with the text that they must have, by name; and what is wrong with its
 * values. Helm reads nothing outside the chart, so it needs copies.
 */
export function chartFiles(root, configSchema) {
  const read = file => readFileSync(path.join(root, file), 'utf8')
  const inChart = name => read(`${chartFolder}/${name}`)
  const schema = JSON.parse(inChart('values.schema.json'))
  const values = inChart('values.yaml')
  const { version } = JSON.parse(read('packages/server/package.json'))
  const texts = {
    'values.schema.json': `${JSON.stringify(withConfigSchema(schema, configSchema), null, 2)}\n`,
    'Chart.yaml': chartWithVersion(inChart('Chart.yaml'), version),
    'files/alerts.yaml': read('deploy/prometheus/alerts.yaml'),
    'README.md': withTable(inChart('README.md'), chartValuesTable(schema, values)),
  }
  return { texts, faults: chartValuesFaults(schema, values) }
}

/** Helm then refuses a wrong configuration file before a pod does. */
function withConfigSchema(schema, { $schema, ...configSchema }) {
  const description =
    'Mode `rules`: [the configuration file](https://github.com/OWNER/dex-token-broker/blob/main/docs/configuration-file.md). The broker reads it again when it changes.'
  const properties = { ...schema.properties, config: { description, ...configSchema } }
  return { ...schema, properties }
}

function withTable(readme, table) {
  return readme.replace(/(?<=<!-- values -->\n)[\s\S]*?(?=<!-- \/values -->)/, `${table}\n`)
}
