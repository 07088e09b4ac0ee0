import { problemOfBuild, problemOfImport } from './build-check.ts'
import { helpText, type QuickstartOptions, readCommandLine } from './command-line.ts'

const exitCodes = { failed: 1, wrongUsage: 2 }

const commandLine = readCommandLine(process.argv.slice(2))
if ('problem' in commandLine) {
  console.error(commandLine.problem)
  process.exitCode = exitCodes.wrongUsage
} else if (commandLine.help) {
  process.stdout.write(helpText)
} else {
  await start(commandLine)
}

async function start(options: QuickstartOptions): Promise<void> {
  // Whoever read our output has left, as in `npm start | head`.
  process.stdout.on('error', () => process.exit(exitCodes.failed))
  // Not a static import: without a build it would fail before anything could be said about it.
  const story = problemOfBuild() ?? (await import('./run-quickstart.ts').catch(problemOfImport))
  if (typeof story === 'string') {
    console.error(story)
    process.exitCode = exitCodes.failed
    return
  }
  // What may still be under way, such as a walk that was interrupted, ends with the process.
  process.exit(await story.runQuickstart(options, process.env))
}
