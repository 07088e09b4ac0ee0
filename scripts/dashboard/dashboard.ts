import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { checkPanels } from './check-panels.ts'
import { dexPanels } from './dex-panels.ts'
import { envoyPanels } from './envoy-panels.ts'
import { dataSource, grafanaPanel } from './grafana-panel.ts'
import { problemPanels } from './problem-panels.ts'
import { processPanels } from './process-panels.ts'
import { tokenPanels } from './token-panels.ts'

/** Where the dashboard is, for import into Grafana; the chart puts it into a ConfigMap. */
export const dashboardFile = 'files/dashboards/dex-token-broker.json'

/** In the order of the status page: what is wrong, what callers get, and then why. */
const rows = [problemPanels, checkPanels, tokenPanels, dexPanels, envoyPanels, processPanels]

/** Builds the dashboard for the person on call. */
export function brokerDashboard(): Dashboard {
  const dashboard = new DashboardBuilder('dex-token-broker')
    .uid('dex-token-broker')
    .description('Whether checks pass, and if not, why. Generated from scripts/dashboard/.')
    .tags(['dex', 'envoy', 'ext_authz'])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder('Operations')
        .type(DashboardLinkType.Link)
        .url('https://github.com/OWNER/dex-token-broker/blob/main/docs/operations.md')
        .targetBlank(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(labelVariable('namespace').allValue('.*'))
    // Without an `allValue`: All is then the list of the brokers' jobs, and no other job's processes are shown.
    .withVariable(labelVariable('job', '{namespace=~"$namespace"}'))
    .withVariable(labelVariable('instance', '{namespace=~"$namespace", job=~"$job"}').allValue('.*'))
  let id = 0
  for (const { title, panels } of rows) {
    dashboard.withRow(new RowBuilder(title).id(++id))
    for (const panel of panels) dashboard.withPanel(grafanaPanel(panel, ++id))
  }
  return dashboard.build()
}

function labelVariable(label: string, selector = ''): QueryVariableBuilder {
  return new QueryVariableBuilder(label)
    .label(label)
    .datasource(dataSource)
    .query({
      query: `label_values(dex_token_broker_build_info${selector}, ${label})`,
      refId: `variable-${label}`,
    })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .includeAll(true)
    .multi(true)
    .current({ text: ['All'], value: ['$__all'] })
}
