import { binaryNeed } from './binary-need.ts'
import { findBinary } from './find-binary.ts'

/** The tools that render what is deployed, by the variable that names each. */
const tools = { HELM_BIN: 'helm', KUSTOMIZE_BIN: 'kustomize' } as const

export type ChartTool = keyof typeof tools

/** Finds Helm or kustomize: the file that the variable names, else the program on the PATH; `undefined` when there is none. */
export function findChartTool(tool: ChartTool, env: NodeJS.ProcessEnv = process.env): string | undefined {
  return findBinary(env[tool], tools[tool], env)
}

/** For `needs` of `@broker/testing/vitest`. With REQUIRE_HELM, a missing tool is a failure instead of skipped tests. */
export function chartToolNeed<Tool extends ChartTool>(
  tool: Tool,
  env: NodeJS.ProcessEnv = process.env,
): Readonly<Record<Tool, boolean>> {
  return binaryNeed({ variable: tool, program: tools[tool], requirement: 'REQUIRE_HELM' }, env)
}
