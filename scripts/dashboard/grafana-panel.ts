import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  BigValueColorMode,
  BigValueGraphMode,
  type DataSourceRef,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TableSortByFieldStateBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel as GrafanaPanel,
  MappingType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import * as stat from '@grafana/grafana-foundation-sdk/stat'
import * as stateTimeline from '@grafana/grafana-foundation-sdk/statetimeline'
import * as table from '@grafana/grafana-foundation-sdk/table'
import * as timeSeries from '@grafana/grafana-foundation-sdk/timeseries'
import type { Panel, Query } from './panel.ts'

/** The data source that the viewer chose. */
export const dataSource: DataSourceRef = { type: 'prometheus', uid: '$' + '{datasource}' }

const operations = 'https://github.com/OWNER/dex-token-broker/blob/main/docs/operations.md'

/** Columns of a table that say nothing to its reader. */
const hiddenColumns = ['Time', 'Value', '__name__', 'instance', 'pod', 'container', 'endpoint', 'service']

/** Turns a panel into one of Grafana, with its size and without its place. `id` is its number in the dashboard. */
export function grafanaPanel(panel: Panel, id: number): Builder<GrafanaPanel> {
  const { title, description, width = 8, unit = 'short', empty = 'none' } = panel
  const url = `${operations}#${panel.runbook}`
  return emptyPanel(panel)
    .id(id)
    .title(title)
    .description(`${description}\n\n[Runbook](${url})`)
    .links([new DashboardLinkBuilder('Runbook').type(DashboardLinkType.Link).url(url).targetBlank(true)])
    .datasource(dataSource)
    .targets(panel.queries.map((query, index) => target(panel, query, index)))
    .thresholds(thresholds(panel))
    .unit(unit)
    .noValue(empty)
    .span(width)
    .height(panel.kind === 'value' ? 4 : 8)
}

type PanelBuilder =
  | stat.PanelBuilder
  | stateTimeline.PanelBuilder
  | table.PanelBuilder
  | timeSeries.PanelBuilder

function emptyPanel(panel: Panel): PanelBuilder {
  switch (panel.kind) {
    case 'value':
      return new stat.PanelBuilder()
        .colorMode(BigValueColorMode.Background)
        .graphMode(BigValueGraphMode.Area)
        .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    case 'states':
      return new stateTimeline.PanelBuilder().showValue(VisibilityMode.Never).mappings([
        {
          type: MappingType.ValueToText,
          options: { 0: { text: 'good', color: 'green' }, 1: { text: 'failing', color: 'red' } },
        },
      ])
    case 'labels':
      return labels(panel)
    default:
      return lines(panel)
  }
}

function labels({ sortedBy }: Panel): table.PanelBuilder {
  const panel = new table.PanelBuilder().withTransformation({
    id: 'organize',
    options: { excludeByName: Object.fromEntries(hiddenColumns.map(column => [column, true])) },
  })
  return sortedBy === undefined
    ? panel
    : panel.sortBy([new TableSortByFieldStateBuilder().displayName(sortedBy)])
}

function lines({ kind, bounds }: Panel): timeSeries.PanelBuilder {
  const panel = new timeSeries.PanelBuilder()
    // Not a hard minimum: clock skew has a sign.
    .axisSoftMin(0)
    .lineWidth(1)
    .fillOpacity(kind === 'areas' ? 60 : 10)
    // Series without samples are events that did not happen.
    .showPoints(VisibilityMode.Auto)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
  if (kind === 'areas') panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal))
  if (bounds !== undefined)
    panel.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed))
  return panel
}

function target({ kind }: Panel, { expr, legend }: Query, index: number): DataqueryBuilder {
  const query = new DataqueryBuilder()
    .datasource(dataSource)
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
    .expr(expr)
    .legendFormat(legend)
  return kind === 'labels' ? query.instant().format(PromQueryFormat.Table) : query.range()
}

function thresholds({ bounds }: Panel): ThresholdsConfigBuilder {
  const steps = new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute)
  if (bounds === undefined) return steps.steps([{ color: 'green', value: null }])
  const { warning, critical, low } = bounds
  return steps.steps(
    low
      ? [
          { color: 'red', value: null },
          { color: 'yellow', value: critical },
          { color: 'green', value: warning },
        ]
      : [
          { color: 'green', value: null },
          { color: 'yellow', value: warning },
          { color: 'red', value: critical },
        ],
  )
}
