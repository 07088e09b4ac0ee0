// Compares the generated code of the protos with what they generate now; `--write` replaces it.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { runCommand } from '../workspace/run-command.mjs'
import { root } from '../workspace/workspace-packages.cjs'

const server = path.join(root, 'packages', 'server')
const generated = path.join('src', 'grpc', 'generated')
const { values: options } = parseArgs({ options: { write: { type: 'boolean', default: false } } })

const output = options.write ? server : mkdtempSync(path.join(tmpdir(), 'broker-protobuf-'))
try {
  await generate(output)
  if (!options.write) compare(path.join(output, generated), path.join(server, generated))
} finally {
  if (!options.write) rmSync(output, { recursive: true, force: true })
}

async function generate(folder) {
  const bin = path.join(server, 'node_modules', '.bin')
  const result = await runCommand(path.join(bin, 'buf'), ['generate', '--clean', '--output', folder], {
    cwd: server,
    env: { PATH: [bin, process.env.PATH].join(path.delimiter) },
  })
  if (result.exitCode !== 0) throw new Error(`buf failed:\n${result.output}`)
}

function compare(wanted, present) {
  const files = new Set([...filesIn(wanted), ...filesIn(present)])
  const different = [...files].filter(file => contentOf(wanted, file) !== contentOf(present, file))
  for (const file of different) {
    console.log(`${path.join('packages/server', generated, file)} is not what the protos generate`)
  }
  if (different.length > 0) {
    console.log('run: node scripts/protobuf/protobuf.mjs --write')
    process.exitCode = 1
  } else {
    console.log(`${files.size} generated files are in sync with packages/server/proto`)
  }
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true }).filter(file => file.endsWith('.ts'))
}

function contentOf(folder, file) {
  try {
    return readFileSync(path.join(folder, file), 'utf8')
  } catch {
    return undefined
  }
}
