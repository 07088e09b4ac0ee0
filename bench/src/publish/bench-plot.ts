import type { BenchResult, ContenderResult } from '../bench-result.ts'
import type { ContenderName } from '../contender.ts'

const width = 760
const labelWidth = 250
const barHeight = 16
const barGap = 3
const groupGap = 18
const valueWidth = 70
const legendHeight = 46

/** Colours that a reader who sees no red or green can tell apart, on a light or a dark page. */
const colors: Readonly<Record<ContenderName, string>> = {
  ours: '#2f7ed8',
  bare: '#8f8f8f',
  go: '#e08e0b',
  http: '#8fb8e8',
  'grpc-go': '#b8860b',
}
const labels: Readonly<Record<ContenderName, string>> = {
  ours: 'dex-token-broker',
  bare: 'bare node:http',
  go: 'Go service',
  http: 'ours over HTTP',
  'grpc-go': 'bare grpc-go',
}
const text = 'font-family="system-ui, sans-serif" font-size="12" fill="#808080"'

/** Grouped bars of CPU time per check, as SVG. */
export function benchPlot({ modes }: BenchResult): string {
  const groups = modes.filter(({ mode }) => mode !== 'misses')
  const all = groups.flatMap(({ contenders }) => Object.values(contenders).map(medianOf))
  const scale = (width - labelWidth - valueWidth) / Math.max(...all)
  const names = (Object.keys(labels) as ContenderName[]).filter(name =>
    groups.some(({ contenders }) => contenders[name]),
  )
  const parts: string[] = [
    `<text x="0" y="14" ${text}>CPU time of the server for each check, in µs (less is better)</text>`,
  ]
  names.forEach((name, index) => {
    const x = index * 150
    parts.push(
      `<rect x="${x}" y="24" width="12" height="12" fill="${colors[name]}"/>`,
      `<text x="${x + 18}" y="34" ${text}>${labels[name]}</text>`,
    )
  })
  let y = legendHeight + groupGap
  for (const { title, contenders } of groups) {
    parts.push(`<text x="0" y="${y + 12}" ${text}>${escaped(title)}</text>`)
    for (const name of names) {
      const result = contenders[name]
      if (result === undefined) continue
      const length = medianOf(result) * scale
      parts.push(
        `<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" fill="${colors[name]}"/>`,
        `<text x="${(labelWidth + length + 6).toFixed(1)}" y="${y + 12}" ${text}>${medianOf(result).toFixed(1)}</text>`,
      )
      y += barHeight + barGap
    }
    y += groupGap
  }
  const size = `width="${width}" height="${y}" viewBox="0 0 ${width} ${y}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>\n  <title>CPU time of the server for each check</title>\n${parts.map(part => `  ${part}\n`).join('')}</svg>\n`
}

function medianOf({ cpuMicrosPerCheck }: ContenderResult): number {
  return cpuMicrosPerCheck.median
}

function escaped(title: string): string {
  return title.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
