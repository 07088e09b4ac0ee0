/** The text of a Chart.yaml with this version of the chart and of the broker in it: they are released together. */
export function chartWithVersion(chart, version) {
  return chart
    .replace(/^version: .*$/m, `version: ${version}`)
    .replace(/^appVersion: .*$/m, `appVersion: ${version}`)
}
