// The cost of a check, side by side: see docs/performance.md.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { arch, availableParallelism, platform, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BenchOptions, benchUsage, readBenchOptions } from './bench-options.ts'
import type { BenchResult, LibraryResult, ModeResult } from './bench-result.ts'
import { goServiceBinary, grpcGoBinary } from './contender.ts'
import { startDex } from './dex-process.ts'
import { findLoadGenerator } from './load/load-generator.ts'
import { measureMode } from './measure-mode.ts'
import { usageSource } from './process-usage.ts'
import { measureSettings } from './settings/measure-settings.ts'
import { settingsText } from './settings/settings-text.ts'
import { measureStartUp, startUpText } from './start-up.ts'
import { terminalTable } from './terminal-table.ts'
import { measureThroughEnvoy, throughEnvoyText } from './through-envoy.ts'

const defaultOut = fileURLToPath(new URL('../results/latest.json', import.meta.url))

// One for each process under measurement, which must not outlive this one.
process.setMaxListeners(32)

const options = readBenchOptions(process.argv.slice(2))
if (options === undefined) process.stdout.write(benchUsage)
else await run(options)

async function run(options: BenchOptions): Promise<void> {
  const loadGenerator = findLoadGenerator()
  const { rounds, seconds, connections } = options
  console.log(
    `${rounds} rounds of ${seconds} s, ${connections} connections; load: ${loadGenerator.name}; CPU time: ${usageSource}`,
  )
  const peers = [
    `Go service: ${goServiceBinary ?? 'not measured (PEER_BIN)'}`,
    `bare grpc-go: ${grpcGoBinary ?? 'not measured (GRPC_PEER_BIN)'}`,
  ]
  console.log(`Node.js ${process.version}; ${peers.join('; ')}\n`)
  const scratch = mkdtempSync(path.join(tmpdir(), 'broker-bench-'))
  try {
    const modes: ModeResult[] = []
    for (const mode of options.modes) {
      const result = await measureMode(mode, { options, loadGenerator, scratch })
      modes.push(result)
      console.log(`${terminalTable(result)}\n`)
    }
    await using dex = await startDex()
    const startUp = options.startUp ? await measureStartUp(options.rounds * 3) : undefined
    if (startUp !== undefined) console.log(`${startUpText(startUp)}\n`)
    const throughEnvoy = options.envoy
      ? await measureThroughEnvoy({ options, dex, loadGenerator, scratch })
      : undefined
    if (throughEnvoy !== undefined) console.log(`${throughEnvoyText(throughEnvoy)}\n`)
    const settings =
      options.settings.length > 0
        ? await measureSettings(options.settings, { options, dex, loadGenerator, scratch })
        : undefined
    if (settings !== undefined) console.log(`${settingsText(settings)}\n`)
    const library = options.library ? measureLibrary(path.join(scratch, 'library.json')) : undefined
    const machine = {
      cores: availableParallelism(),
      architecture: arch(),
      platform: platform(),
      node: process.version,
      loadGenerator: loadGenerator.name,
      usageSource,
    }
    const parts = {
      ...(library && { library }),
      ...(startUp && { startUp }),
      ...(throughEnvoy && { throughEnvoy }),
      ...(settings && { settings }),
    }
    const file = options.out ?? defaultOut
    save(file, { machine, rounds, seconds, connections, modes, ...parts })
    if (options.publish) runScript('publish.ts', [file])
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function save(file: string, result: BenchResult): void {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`)
  console.log(`figures: ${path.relative(process.cwd(), file)}`)
}

/** Runs in a separate process, with a garbage collector that can be called. */
function measureLibrary(file: string): LibraryResult {
  runScript('library.ts', ['--out', file], ['--expose-gc'])
  return JSON.parse(readFileSync(file, 'utf8'))
}

function runScript(name: string, args: readonly string[], nodeOptions: readonly string[] = []): void {
  const script = fileURLToPath(new URL(name, import.meta.url))
  execFileSync(process.execPath, [...nodeOptions, script, ...args], { stdio: 'inherit' })
}
