import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../free-port.ts'
import { ManagedProcess } from '../managed-process.ts'
import { findPrometheus } from './prometheus-binary.ts'

/** A series of an instant query, with its value. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A Prometheus server on 127.0.0.1. Ends with the test, and forgets everything. */
export interface PrometheusServer extends AsyncDisposable {
  readonly port: number
  /** The result of an instant query; rejects with Prometheus's words when the expression is wrong. */
  query(expression: string): Promise<readonly Sample[]>
  /** The alerts whose evaluation failed, with the reason. */
  ruleFaults(): Promise<readonly string[]>
}

export interface PrometheusOptions {
  /** Ports on 127.0.0.1 whose `/metrics` it scrapes. */
  readonly targets: readonly number[]
  readonly job: string
  /** Further labels of the targets. */
  readonly labels?: Readonly<Record<string, string>>
  /** The text of a rule file. */
  readonly rules: string
  /** Default: 1 s. */
  readonly intervalSeconds?: number
}

/** Starts a server that scrapes and evaluates at the same interval, and waits until it is ready. */
export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusServer> {
  const binary = findPrometheus()
  if (binary === undefined) throw new Error('no prometheus: set PROMETHEUS_BIN')
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'))
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  await writeFile(join(folder, 'rules.yaml'), options.rules)
  await writeFile(join(folder, 'prometheus.json'), JSON.stringify(configuration(options)))
  const server = new ManagedProcess('Prometheus', binary, [
    `--config.file=${join(folder, 'prometheus.json')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ])
  async function close(): Promise<void> {
    await server[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await server.until('it was ready', async () => {
      const response = await fetch(`${origin}/-/ready`).catch(() => undefined)
      return response?.ok ? true : undefined
    })
  } catch (error) {
    await close()
    throw error
  }
  return {
    port,
    query: expression => query(origin, expression),
    ruleFaults: () => ruleFaults(origin),
    [Symbol.asyncDispose]: close,
  }
}

/** JSON is YAML. */
function configuration({ targets, job, labels = {}, intervalSeconds = 1 }: PrometheusOptions): object {
  const interval = `${intervalSeconds}s`
  return {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: ['rules.yaml'],
    scrape_configs: [
      {
        job_name: job,
        static_configs: [{ targets: targets.map(port => `127.0.0.1:${port}`), labels }],
      },
    ],
  }
}

async function query(origin: string, expression: string): Promise<Sample[]> {
  const response = await fetch(`${origin}/api/v1/query`, {
    method: 'POST',
    body: new URLSearchParams({ query: expression }),
  })
  const answer = (await response.json()) as QueryAnswer
  if (answer.data === undefined) throw new Error(`${expression}: ${answer.error}`)
  if (answer.data.resultType !== 'vector') throw new Error(`${expression}: a ${answer.data.resultType}`)
  return answer.data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }))
}

interface QueryAnswer {
  readonly error?: string
  readonly data?: {
    readonly resultType: string
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>
      readonly value: readonly [time: number, value: string]
    }[]
  }
}

async function ruleFaults(origin: string): Promise<string[]> {
  const response = await fetch(`${origin}/api/v1/rules`)
  const { data } = (await response.json()) as RulesAnswer
  return data.groups
    .flatMap(({ rules }) => rules)
    .filter(({ health }) => health !== 'ok')
    .map(({ name, health, lastError }) => `${name}: ${lastError ?? health}`)
}

interface RulesAnswer {
  readonly data: {
    readonly groups: readonly {
      readonly rules: readonly {
        readonly name: string
        readonly health: string
        readonly lastError?: string
      }[]
    }[]
  }
}
