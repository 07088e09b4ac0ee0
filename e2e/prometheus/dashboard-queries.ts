import { readFileSync } from 'node:fs'

const file = new URL(
  '../../deploy/helm/dex-token-broker/files/dashboards/dex-token-broker.json',
  import.meta.url,
)

/** A query of the dashboard. */
export interface DashboardQuery {
  /** The title of its panel, and the legend where a panel has several queries. */
  readonly name: string
  /** The expression as Grafana sends it. */
  readonly expression: string
}

/** The queries of the dashboard, with the values that Grafana gives the variables. */
export function dashboardQueries(variables: Readonly<Record<string, string>>): readonly DashboardQuery[] {
  const { panels } = JSON.parse(readFileSync(file, 'utf8')) as { panels: readonly Panel[] }
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({
      name: targets.length === 1 ? title : `${title}: ${legendFormat}`,
      expression: expr.replace(/\$(\w+)/g, (_, name: string) => {
        const value = variables[name]
        if (value === undefined) throw new Error(`${title}: no value for $${name}`)
        return value
      }),
    })),
  )
}

interface Panel {
  readonly title: string
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}
