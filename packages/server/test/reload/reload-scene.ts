import { pino } from 'pino'
import type { ReloadOutcome } from '../../src/admin/broker-metrics.ts'
import type { Config } from '../../src/config/config.ts'
import { YamlConfigReader } from '../../src/config/file/yaml-config-reader.ts'
import { ConfigReload, type ConfigReloadOptions } from '../../src/reload/config-reload.ts'
import { ConfigSource } from '../../src/reload/config-source.ts'
import type { LogLine } from '../support/start-broker.ts'

export const settings = {
  ALLOW_UNAUTHENTICATED_CALLERS: 'true',
  DEX_TOKEN_URL: 'http://127.0.0.1:5556/dex/token',
}

/** A reload without a server: it keeps the configurations that a server would take. */
export class ReloadScene {
  readonly configs: Config[]
  readonly outcomes: ReloadOutcome[] = []
  readonly log: LogLine[] = []
  readonly reload: ConfigReload
  faults = 0
  readonly #refusals: { readonly message: string; count: number }[] = []

  constructor(env: Readonly<Record<string, string>>, looks?: ConfigReloadOptions['looks']) {
    const source = new ConfigSource({ ...settings, ...env }, new YamlConfigReader())
    this.configs = [source.load()]
    const logger = pino({ base: null }, { write: (line: string) => void this.log.push(JSON.parse(line)) })
    this.reload = new ConfigReload({
      source,
      server: {
        reload: config => {
          const refusal = this.#refusals.shift()
          if (refusal !== undefined) {
            refusal.count++
            throw new TypeError(refusal.message)
          }
          this.configs.push(config)
          this.metrics.countReload('applied')
        },
      },
      metrics: this.metrics,
      logger,
      ...(looks && { looks }),
    })
  }

  /** The configuration in effect. */
  get config(): Config {
    return this.configs.at(-1) as Config
  }

  /** The secret of the default client, or of a client of the file. */
  secretOf(client?: string): unknown {
    const { broker } = this.config
    return client === undefined ? broker.client?.clientSecret : broker.clients?.[client]?.clientSecret
  }

  /** Makes the server refuse the next configuration. */
  refuseOnce(message: string): { readonly count: number } {
    const refusal = { message, count: 0 }
    this.#refusals.push(refusal)
    return refusal
  }

  /** The faults in each line of the log that has some. */
  get faultLines(): readonly unknown[] {
    return this.log.filter(({ level }) => level === 50).map(({ faults }) => faults)
  }

  /** Two looks: as much as a change needs. */
  async look(times = 2): Promise<void> {
    for (let look = 0; look < times; look++) await this.reload.lookNow()
  }

  private readonly metrics = {
    countReload: (outcome: ReloadOutcome, faults = 0) => {
      this.outcomes.push(outcome)
      this.faults = faults
    },
  }
}
