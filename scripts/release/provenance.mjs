// Whether the environment of the release workflow makes pnpm attach provenance. Outside a CI provider pnpm cannot, and
// refuses to publish exactly when it was told to.
import { runCommand } from '../workspace/run-command.mjs'
import { startLocalRegistry } from './local-registry.mjs'
import { publishEnvironment } from './workflow-faults.mjs'

const refusal = 'ERR_PNPM_PROVENANCE_UNSUPPORTED_PROVIDER'
const timeoutMs = 60_000
/** By these pnpm knows its CI provider. */
const providerVariables = [
  ...['GITHUB_ACTIONS', 'GITLAB_CI', 'CIRCLECI'],
  ...['ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'SIGSTORE_ID_TOKEN'],
]

/** Publishes the package in `folder` to a throwaway registry, with the environment that the workflow `release` gives. */
export async function provenanceFaults({ release, folder }) {
  const noProvider = Object.fromEntries(providerVariables.map(name => [name, undefined]))
  await using registry = await startLocalRegistry()
  const { output } = await runCommand(
    'pnpm',
    ['publish', '--no-git-checks', '--ignore-scripts', '--registry', registry.url],
    { cwd: folder, env: { ...publishEnvironment(release), ...noProvider }, timeoutMs },
  )
  if (output.includes(refusal)) return []
  return [`pnpm publish does not ask for it with the environment of the workflow\n${output}`]
}
