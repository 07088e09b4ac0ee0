import type { BenchResult } from '../bench-result.ts'
import { modes as modeDefinitions } from '../mode.ts'
import { benchMarkdown } from './bench-markdown.ts'
import { grpcMarkdown } from './grpc-markdown.ts'
import { withRegion } from './page-region.ts'
import { settingsMarkdown } from './settings-markdown.ts'

/** Returns the text of docs/performance.md with the figures of a run. Figures that the run does not have stay as they are. */
export function performancePage(page: string, result: BenchResult): string {
  const { overHttp, overGrpc } = byProtocol(result)
  let text = page
  if (overHttp.modes.length > 0) text = withRegion(text, 'bench', benchMarkdown(overHttp))
  if (overGrpc.modes.length > 0 || overGrpc.throughEnvoy !== undefined) {
    text = withRegion(text, 'bench-grpc', grpcMarkdown(overGrpc))
  }
  if (result.settings !== undefined) {
    text = withRegion(text, 'bench-settings', settingsMarkdown(result, result.settings))
  }
  return text
}

/** A run as two: the modes over HTTP, and those over gRPC. */
export function byProtocol(result: BenchResult): { overHttp: BenchResult; overGrpc: BenchResult } {
  const { http = [], grpc = [] } = Object.groupBy(result.modes, ({ mode }) =>
    modeDefinitions[mode].overGrpc ? 'grpc' : 'http',
  )
  return { overHttp: { ...result, modes: http }, overGrpc: { ...result, modes: grpc } }
}
