import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  brokerCommand,
  chartToolNeed,
  findChartTool,
  freePort,
  ManagedProcess,
  startBroker,
  until,
} from '@broker/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { send } from '../harness/client-request.ts'
import { type Dex, startDex } from '../harness/dex.ts'
import { type RecordingBackend, startBackend } from '../harness/recording-backend.ts'
import { objectsIn } from '../helm/helm.ts'
import type { KubernetesObject } from '../helm/kubernetes-object.ts'
import { brokerHere, testHere } from '../helm/running/pod-here.ts'
import { describeWithEnvoyGateway, EnvoyGateway } from './envoy-gateway.ts'
import { standaloneObjects } from './standalone-objects.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const reports = { id: 'reports', secret: 'reports-secret', groups: ['deployers'] }

/** The page as a script: its files are saved under their names, and its commands follow in their order. */
function scriptOf(page: string, changes: Readonly<Record<string, string>>): string {
  const file = /^Save this as `([^`]+)`.*\n\n<!-- snippet: .* -->\n```\w+\n([\s\S]*?)\n```/
  const commands = /^```sh\n([\s\S]*?)\n```/
  const steps = [...page.matchAll(new RegExp(`${file.source}|${commands.source}`, 'gm'))]
  const script = steps.map(([, name, text, lines]) =>
    name === undefined ? lines : `cat >${name} <<'END'\n${text}\nEND`,
  )
  let done = ['set -eu', ...script, ''].join('\n')
  for (const [written, here] of Object.entries(changes)) {
    if (done.split(written).length !== 2) throw new Error(`the page does not have once: ${written}`)
    done = done.replace(written, here)
  }
  return done
}

// Processes take the place of pods, and kubectl and Helm put into a folder what they would send to a cluster.
describeWithEnvoyGateway(
  'getting started on Kubernetes',
  () => {
    const stack = new AsyncDisposableStack()
    let dex: Dex
    let backend: RecordingBackend
    let reader: ManagedProcess

    /** Runs what was applied and installed: the broker, its test and Envoy Gateway. */
    async function runCluster(cluster: string): Promise<void> {
      const read = (name: string) => objectsIn(readFileSync(join(cluster, name), 'utf8'))
      const [applied, release] = [read('applied.yaml'), read('release.yaml')]
      const pod = stack.use(brokerHere(release, {}))
      const broker = stack.use(await startBroker(pod.env))
      const port = await freePort()
      const ports = {
        check: broker.port,
        grpc: broker.grpcPort ?? 0,
        admin: broker.adminPort,
        http: backend.port,
      }
      const objects = standaloneObjects([...applied, ...release], 'my-app', ports)
      const gateway = stack.use(await EnvoyGateway.start(objects.map(object => onPort(object, port))))
      const request = { headers: { host: 'my-api.example.com' } }
      await gateway.until(
        async () => (await send(port, request).catch(() => undefined))?.status === 401,
        'the route is protected',
      )
      const testPod = stack.use(testHere(release, {}))
      const doctor = stack.use(
        new ManagedProcess('doctor', process.execPath, [brokerCommand, ...testPod.args], {
          env: { ...testPod.env },
        }),
      )
      writeFileSync(join(cluster, 'test-exit-code'), String(await doctor.ended()))
      writeFileSync(join(cluster, 'test.log'), doctor.log)
      writeFileSync(join(cluster, 'address'), `127.0.0.1:${port}`)
      writeFileSync(join(cluster, 'ready'), '')
    }

    beforeAll(async () => {
      dex = stack.use(await startDex({ clients: [reports] }))
      backend = stack.use(await startBackend(dex))
      const folder = await mkdtemp(join(tmpdir(), 'getting-started-'))
      stack.defer(() => rm(folder, { recursive: true }))
      const cluster = join(folder, 'cluster')
      await mkdir(cluster)
      const page = readFileSync(join(root, 'docs/getting-started-kubernetes.md'), 'utf8')
      const script = scriptOf(page, {
        'issuer: https://dex.example.com/dex': `issuer: ${dex.issuer}\n  allowInsecureUrl: true`,
      })
      const env = {
        PATH: `${fileURLToPath(new URL('stand-ins/', import.meta.url))}:${process.env['PATH']}`,
        HOME: folder,
        TMPDIR: folder,
        CLUSTER: cluster,
        HELM_HERE: findChartTool('HELM_BIN'),
        REPORTS_SECRET_HERE: reports.secret,
      }
      const args = ['-c', `cd '${root}'\n${script}`]
      reader = stack.use(new ManagedProcess('the reader', 'bash', args, { env }))
      const isInstalled = () => reader.hasEnded || existsSync(join(cluster, 'release.yaml'))
      await until(isInstalled, 'the broker is installed', 60_000)
      expect(reader.hasEnded, reader.log).toBe(false)
      await runCluster(cluster)
      expect(await reader.ended(), reader.log).toBe(0)
    }, 240_000)
    afterAll(() => stack.disposeAsync(), 60_000)

    test('the caller gets an answer of the API, which got a token of Dex and no secret', () => {
      expect(reader.log).toContain('HTTP/1.1 200 OK')
      expect(backend.requests.map(({ tokenAudience, url }) => [tokenAudience, url])).toEqual([
        ['reports', '/orders'],
      ])
      expect(backend.requests[0]?.rawHeaders.join()).not.toContain(reports.secret)
    })

    test('without credentials the caller gets 401', () => {
      const [, unauthorized = ''] = reader.log.split('HTTP/1.1 401 Unauthorized')
      expect(unauthorized).toContain('"missing_credentials"')
    })
  },
  chartToolNeed('HELM_BIN'),
)

/** The Gateway of the page has port 80. */
function onPort(object: KubernetesObject, port: number): KubernetesObject {
  if (object.kind !== 'Gateway') return object
  const { listeners, ...spec } = object['spec']
  return {
    ...object,
    spec: { ...spec, listeners: listeners.map((listener: object) => ({ ...listener, port })) },
  }
}
