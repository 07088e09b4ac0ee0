import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { envoyGatewayNeed, findEnvoyGateway, isPortFree, ManagedProcess, until } from '@broker/testing'
import { stringify } from 'yaml'
import { describeWithEnvoy, requireEnvoy } from '../harness/with-envoy.ts'
import { run } from '../helm/helm.ts'
import type { KubernetesObject } from '../helm/kubernetes-object.ts'
import { controllerName, gatewayNamespace } from './gateway-objects.ts'

/** Where Envoys ask the controller for their configuration; it has no setting. */
const xdsPort = 18_000

/** A `describe` that is skipped without Envoy Gateway and Envoy. */
export function describeWithEnvoyGateway(name: string, tests: () => void, others: object = {}): void {
  describeWithEnvoy(name, tests, { ...envoyGatewayNeed(), ...others })
}

/** The real Envoy Gateway without a cluster: it reads objects from a folder, and runs an Envoy on this machine. */
export class EnvoyGateway implements AsyncDisposable {
  readonly #controller: ManagedProcess
  readonly #folder: string

  private constructor(controller: ManagedProcess, folder: string) {
    this.#controller = controller
    this.#folder = folder
  }

  /**
   * Starts it with objects that never change: with changed ones it merges old and new fields. One at a time on a machine. `proxy` is
   * more of the spec of the EnvoyProxy.
   */
  static async start(objects: readonly KubernetesObject[], proxy: object = {}): Promise<EnvoyGateway> {
    const program = findEnvoyGateway()
    if (program === undefined) throw new Error('without Envoy Gateway the tests should have been skipped')
    await until(() => isPortFree(xdsPort), `port ${xdsPort} of Envoy Gateway is free`)
    const folder = await mkdtemp(join(tmpdir(), 'envoy-gateway-'))
    const settings = await layOut(folder, objects, proxy)
    const { exitCode, stderr } = await run(program, ['certgen', '--local', '--config-home', folder])
    if (exitCode !== 0) throw new Error(stderr)
    const args = ['server', '--config-path', settings]
    // It ends its Envoy first.
    const options = { env: { HOME: folder, PATH: process.env['PATH'] }, patienceMs: 15_000 }
    return new EnvoyGateway(new ManagedProcess('Envoy Gateway', program, args, options), folder)
  }

  /** Waits until something holds; fails with the log of the controller. */
  async until(condition: () => Promise<boolean>, what: string): Promise<void> {
    try {
      await until(async () => this.#controller.hasEnded || (await condition()), what, 90_000)
      if (this.#controller.hasEnded) throw new Error('Envoy Gateway ended')
    } catch (error) {
      throw new Error(`${what}:\n${this.#controller.log}`, { cause: error })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#controller[Symbol.asyncDispose]()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Writes what the controller reads; returns the path of its settings. */
async function layOut(folder: string, objects: readonly KubernetesObject[], proxy: object): Promise<string> {
  const envoy = requireEnvoy()
  const { stdout } = await run(envoy, ['--version'])
  const envoyVersion = /\/(\d+\.\d+\.\d+)\//.exec(stdout)?.[1] ?? ''
  // Where it looks for an Envoy before it downloads one.
  const binaries = join(folder, 'envoy-versions', envoyVersion, 'bin')
  await mkdir(binaries, { recursive: true })
  await symlink(envoy, join(binaries, 'envoy'))
  const manifests = join(folder, 'manifests')
  await mkdir(manifests)
  const here = withEnvoyHere(objects, { ...proxy, provider: { type: 'Host', host: { envoyVersion } } })
  await writeFile(join(manifests, 'objects.yaml'), here.map(object => stringify(object)).join('---\n'))
  const host = { configHome: folder, dataHome: folder, stateHome: folder, runtimeDir: join(folder, 'run') }
  const settings = {
    apiVersion: 'gateway.envoyproxy.io/v1alpha1',
    kind: 'EnvoyGateway',
    gateway: { controllerName },
    provider: {
      type: 'Custom',
      custom: {
        resource: { type: 'File', file: { paths: [manifests] } },
        infrastructure: { type: 'Host', host },
      },
    },
    extensionApis: { enableBackend: true },
  }
  const file = join(folder, 'envoy-gateway.yaml')
  await writeFile(file, stringify(settings))
  return file
}

/** Gives the GatewayClass an EnvoyProxy: without one the controller downloads the Envoy that it was released with. */
function withEnvoyHere(objects: readonly KubernetesObject[], spec: object): readonly KubernetesObject[] {
  const group = 'gateway.envoyproxy.io'
  const metadata = { name: 'envoy-here', namespace: gatewayNamespace }
  const parametersRef = { group, kind: 'EnvoyProxy', ...metadata }
  return [
    { apiVersion: `${group}/v1alpha1`, kind: 'EnvoyProxy', metadata, spec },
    ...objects.map(object =>
      object.kind === 'GatewayClass' ? { ...object, spec: { ...object['spec'], parametersRef } } : object,
    ),
  ]
}
