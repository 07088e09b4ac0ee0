import { brokerProgram } from './command-line/broker-program.ts'
import { exitStatus } from './command-line/exit-status.ts'
import { lastLinesMs } from './command-line/last-lines-ms.ts'
import { parsedArguments } from './command-line/parsed-arguments.ts'
import { programHelp } from './command-line/program-help.ts'
import { WrongArguments } from './command-line/wrong-arguments.ts'
import type { Config } from './config/config.ts'
import { fileReaderOf } from './config/file/file-reader-of.ts'
import { didYouMean } from './nearest-name.ts'
import { startFailure } from './start-failure.ts'
import { onStopSignal } from './stop-signals.ts'
import { version } from './version.ts'

type CommandName = (typeof brokerProgram.commands)[number]['name']

// Each loads only what it needs: the server takes longer than all the rest.
const commands: Readonly<Record<CommandName, (args: readonly string[]) => Promise<void>>> = {
  token: tokenCommand,
  doctor: doctorCommand,
  explain: explainCommand,
  completion: completionCommand,
}

async function main(): Promise<void> {
  // A reader that has left, as in `--help | head`, is not an error.
  process.stdout.on('error', () => {})
  const args = process.argv.slice(2)
  const [first = ''] = args
  const command = Object.hasOwn(commands, first) ? (first as CommandName) : undefined
  if (command !== undefined) process.stdout.on('error', failWithoutOutput)
  try {
    await (command === undefined ? withoutCommand(args) : commands[command](args.slice(1)))
  } catch (error) {
    if (!(error instanceof WrongArguments)) throw error
    const helped = command === undefined ? brokerProgram.name : `${brokerProgram.name} ${command}`
    process.stderr.write(`${error.message}\nTry ${helped} --help.\n`)
    process.exitCode = exitStatus.wrongUsage.code
  }
}

async function withoutCommand(args: readonly string[]): Promise<void> {
  const [first] = args
  if (first !== undefined && !first.startsWith('-')) {
    const advice = didYouMean(first, Object.keys(commands))
    throw new WrongArguments(`unknown command ${JSON.stringify(first)}${advice}`)
  }
  const { values } = parsedArguments(brokerProgram, args)
  if (values.help) {
    const { helpText } = await import('./config/help-text.ts')
    process.stdout.write(`${programHelp(brokerProgram)}\n${helpText()}\n`)
  } else if (values.version) {
    process.stdout.write(`dex-token-broker ${version()}\n`)
  } else if (values['check-config']) {
    await checkConfig()
  } else {
    await serverCommand()
  }
}

async function checkConfig(): Promise<void> {
  const { describeConfig } = await import('./config/describe-config.ts')
  const config = await readConfig()
  process.stdout.write(`${describeConfig(config)}\n`)
  for (const warning of config.warnings) process.stderr.write(`warning: ${warning}\n`)
}

async function serverCommand(): Promise<void> {
  await import('./fetch-classes.ts')
  const { serve } = await import('./serve.ts')
  await serve(process.env).catch(error => {
    // People at a terminal read text; a collector of JSON lines would drop it.
    const asJson = !process.stderr.isTTY && process.env['LOG_FORMAT'] !== 'text'
    process.stderr.write(startFailure(error, { asJson }))
    process.exitCode = exitStatus.wrongConfiguration.code
  })
}

async function tokenCommand(args: readonly string[]): Promise<void> {
  const { runToken } = await import('./token/run-token.ts')
  onStopSignal(signal => process.exit(exitStatus.interrupted.code + (signal === 'SIGTERM' ? 13 : 0)))
  process.exitCode = await runToken(brokerProgram.name, args, {
    env: process.env,
    write: text => process.stdout.write(text),
    tell: line => process.stderr.write(`${line}\n`),
  })
  endAfterOutput()
}

async function doctorCommand(args: readonly string[]): Promise<void> {
  const { runDoctor } = await import('./doctor/run-doctor.ts')
  onStopSignal(() => process.exit(exitStatus.interrupted.code))
  process.exitCode = await runDoctor(args, {
    env: process.env,
    fileReader: () => fileReaderOf(process.env),
    write: text => process.stdout.write(text),
    hasColours: process.stdout.isTTY === true && !process.env['NO_COLOR'],
  })
  endAfterOutput()
}

async function explainCommand(args: readonly string[]): Promise<void> {
  const { runExplain } = await import('./explain/run-explain.ts')
  process.stdout.write(await runExplain(args, readConfig))
}

async function completionCommand(args: readonly string[]): Promise<void> {
  const { completionScript } = await import('./command-line/completion/completion-script.ts')
  process.stdout.write(completionScript(brokerProgram, args))
}

async function readConfig(): Promise<Config> {
  const { configFrom } = await import('./config/config-from.ts')
  return configFrom(process.env, await fileReaderOf(process.env))
}

/** A script must not take the empty file on a full disk for the output. */
function failWithoutOutput({ code }: NodeJS.ErrnoException): void {
  if (code === 'EPIPE') return
  process.stderr.write(`standard output cannot be written (${code})\n`)
  process.exit(exitStatus.wrongConfiguration.code)
}

/** A resolver that does not answer cannot be interrupted, and would keep the process alive. The reader of the output may take its time. */
function endAfterOutput(): void {
  process.stdout.write('', () => setTimeout(() => process.exit(), lastLinesMs).unref())
}

main().catch(error => {
  process.stderr.write(startFailure(error, { asJson: false }))
  process.exitCode = exitStatus.wrongConfiguration.code
})
