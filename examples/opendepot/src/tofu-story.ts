import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startDevDex } from '@broker/dev-dex'
import { startRealDex } from '@broker/dev-dex/real-dex'
import { createCertificateAuthority, ManagedProcess, terraformHelper } from '@broker/testing'
import { ci, clients, opendepot } from './dex-clients.ts'
import { type RegistryLogEntry, startRegistry } from './registry.ts'

export interface TofuStoryOptions {
  readonly tofuBinary: string
  /** A real Dex; default: the look-alike. */
  readonly dexBinary?: string | undefined
}

/** A run of `tofu init` in a new folder. */
export interface TofuRun {
  readonly code: number | NodeJS.Signals | null
  /** Everything that it printed. */
  readonly output: string
  /** The arguments of each call of the helper. */
  readonly helperCalls: readonly string[]
  /** The helper's log file. */
  readonly helperLog: string
  /** The requests that arrived at the registry. */
  readonly requests: readonly RegistryLogEntry[]
  /** The modules that were installed, as `tofu` lists them. */
  readonly modules: string
}

export interface TofuStory extends AsyncDisposable {
  /** Of Dex, as in the configuration file. */
  readonly issuer: string
  /** `127.0.0.1:8443`: OpenTofu refuses a module host without a dot. */
  readonly registryHost: string
  /** Runs `tofu init`; `changes` replaces texts in the files of the user, and `env` adds variables. */
  init(changes?: Readonly<Record<string, string>>, env?: Readonly<Record<string, string>>): Promise<TofuRun>
}

/** Starts Dex and the registry, and sets up a home with the helper, as the page "Terraform and OpenTofu" does. */
export async function startTofuStory({ tofuBinary, dexBinary }: TofuStoryOptions): Promise<TofuStory> {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'tofu-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const dex = stack.use(
    await (dexBinary === undefined ? startDevDex({ clients }) : startRealDex(dexBinary, { clients })),
  )
  const authority = createCertificateAuthority()
  const registry = stack.use(
    await startRegistry({
      issuerUrl: dex.issuer,
      jwksUri: dex.jwksUri,
      clientId: opendepot.id,
      allowServiceAccountFallback: false,
      allowClientCredentials: false,
      boundGroups: ['deployers'],
      tls: authority.issue('127.0.0.1'),
    }),
  )
  const registryHost = `127.0.0.1:${registry.port}`
  const places = {
    'registry.example.com': registryHost,
    'https://dex.example.com/dex': dex.issuer,
  }
  let runs = 0

  const init: TofuStory['init'] = async (changes = {}, env = {}) => {
    const home = join(folder, `${++runs}`)
    const write = async (name: string, text: string) => {
      await mkdir(dirname(join(home, name)), { recursive: true })
      await writeFile(join(home, name), text)
      return join(home, name)
    }
    const copy = async (name: string, to: string) => {
      const text = await readFile(new URL(`../terraform/${name}`, import.meta.url), 'utf8')
      return write(to, replaced(replaced(text, places), changes))
    }
    await copy('broker.yaml', '.config/dex-token-broker/broker.yaml')
    await copy('terraform.yaml', '.config/dex-token-broker/terraform.yaml')
    await copy('main.tf', 'project/main.tf')
    await write('.config/dex-token-broker/ci-pipeline-secret', ci.secret)
    const config = await copy('tofurc.hcl', '.tofurc')
    const calls = await write('calls', '')
    const log = await write('helper.log', '')
    // The script of the page, which also counts.
    const helper = await write(
      '.terraform.d/plugins/terraform-credentials-dex',
      `#!/bin/sh\necho "$@" >> '${calls}'\nexec '${process.execPath}' '${terraformHelper}' --log-file='${log}' "$@"\n`,
    )
    await chmod(helper, 0o755)
    const before = registry.log.length
    await using tofu = new ManagedProcess(
      'tofu',
      tofuBinary,
      [`-chdir=${join(home, 'project')}`, 'init', '-no-color'],
      {
        env: {
          HOME: home,
          // Nothing else is on it: the script names its Node.
          PATH: '/usr/bin:/bin',
          TF_CLI_CONFIG_FILE: config,
          SSL_CERT_FILE: await write('ca.crt', authority.cert),
          ALLOW_INSECURE_DEX_URL: 'true',
          ...env,
        },
      },
    )
    const code = await tofu.ended()
    const read = (name: string) => readFile(join(home, name), 'utf8')
    return {
      code,
      output: tofu.log,
      helperCalls: (await read('calls')).split('\n').filter(line => line !== ''),
      helperLog: await read('helper.log'),
      requests: registry.log.slice(before),
      modules: await read('project/.terraform/modules/modules.json').catch(() => ''),
    }
  }
  const parts = stack.move()
  return { issuer: dex.issuer, registryHost, init, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

function replaced(text: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((changed, [from, to]) => changed.replaceAll(from, to), text)
}
