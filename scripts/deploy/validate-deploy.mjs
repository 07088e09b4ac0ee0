// Checks the files of deploy/ and .github/ without a container engine or a cluster: their syntax, and what must not be
// lost in an edit. Needs a build. With ENVOY_BIN, Envoy itself reads its configuration too.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { runCommand } from '../workspace/run-command.mjs'
import { root } from '../workspace/workspace-packages.cjs'
import { deploymentFaults } from './validate-deploy-rules.mjs'

const envoyConfiguration = 'deploy/compose/envoy.yaml'
const filesBesides = ['.dockerignore', 'package.json', 'pnpm-workspace.yaml']

const files = readFiles()
const faults = [...deploymentFaults(files, await serverVariables()), ...(await envoyFaults())]
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exitCode = 1
else console.log(`${files.size} files of the deployment are in order`)

/** The text of every file by its path; those that git ignores are left out, those that are not committed yet are not. */
function readFiles() {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', 'deploy', '.github', ...filesBesides],
    { cwd: root, encoding: 'utf8' },
  )
  // A template is YAML only once Helm has rendered it: e2e/helm applies the rules to that.
  const paths = [...new Set(listed.split('\n').filter(Boolean))].filter(file => !file.includes('/templates/'))
  return new Map(paths.map(file => [file, readFileSync(path.join(root, file), 'utf8')]))
}

async function serverVariables() {
  const built = path.join(root, 'packages/server/dist/config/schema/config-schema.js')
  const { variableNames } = await import(pathToFileURL(built).href)
  return variableNames
}

async function envoyFaults() {
  const envoy = process.env.ENVOY_BIN
  if (!envoy) {
    console.log(`skipped: ${envoyConfiguration} in Envoy itself; set ENVOY_BIN to its executable`)
    return []
  }
  const { exitCode, output } = await runCommand(envoy, ['--mode', 'validate', '-c', envoyConfiguration])
  return exitCode === 0 ? [] : [`${envoyConfiguration}: Envoy refuses it.\n${output}`]
}
