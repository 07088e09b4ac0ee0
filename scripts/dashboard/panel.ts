/** A query, and the name of its series with labels as `{{label}}`. */
export interface Query {
  readonly expr: string
  readonly legend: string
}

/** A panel, before it is a panel of Grafana. */
export interface Panel {
  readonly title: string
  /** Sentences about what it shows. */
  readonly description: string
  /** The anchor of its section in docs/operations.md. */
  readonly runbook: string
  readonly queries: readonly Query[]
  /** Default: lines over time. `states`: 0 is good and 1 is not, over time. `value`: the last value. `labels`: the labels of series now. */
  readonly kind?: 'lines' | 'areas' | 'states' | 'value' | 'labels'
  /** A unit of Grafana. Default: a plain number. */
  readonly unit?: string
  /** Values from which on it is yellow and red; `low` when the small ones are bad. */
  readonly bounds?: { readonly warning: number; readonly critical: number; readonly low?: true }
  /** The label that orders a panel of `labels`. */
  readonly sortedBy?: string
  /** Of 24 columns. Default: 8. */
  readonly width?: number
  /** Text when there is no series. Default: `none`. */
  readonly empty?: string
}

/** Panels under one heading. */
export interface PanelRow {
  readonly title: string
  readonly panels: readonly Panel[]
}
