import { resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { ConfigError, faultText } from '../config/config-error.ts'
import { configFrom } from '../config/config-from.ts'
import type { ConfigFileReader } from '../config/file/config-file-reader.ts'
import { ConfigReading } from './config-reading.ts'
import { type FileContent, isSameContent } from './file-content.ts'
import { lostProtection } from './lost-protection.ts'

type Contents = ReadonlyMap<string, FileContent>

/** The configuration that the files make now. */
export interface NextConfig {
  /** `undefined` when nothing can be made of them. */
  readonly config: Config | undefined
  /** The files with another content than the configuration in effect was made of, of those without faults. */
  readonly changed: readonly string[]
  /** Every fault in the files. Whatever has one keeps the content that is in effect. */
  readonly faults: readonly string[]
  /** The files that `config` is made of. */
  readonly used: Contents
}

interface Attempt {
  readonly reading: ConfigReading
  readonly config?: Config
  readonly faults: readonly string[]
}

/** The configuration of this process: its environment, which never changes, and files, which do. */
export class ConfigSource {
  readonly #env: NodeJS.ProcessEnv
  readonly #reader: ConfigFileReader | undefined
  /** The configuration in effect. */
  #config: Config | undefined
  /** The files of it. */
  #inEffect: Contents = new Map()
  /** The files as they were read last, usable or not. */
  #tried: Contents = new Map()

  /** `reader` is needed only when the environment has CONFIG_FILE. */
  constructor(env: NodeJS.ProcessEnv, reader?: ConfigFileReader) {
    this.#env = env
    this.#reader = reader
  }

  /** Reads the configuration for the first time. Throws a `ConfigError` that lists every fault at once. */
  load(): Config {
    const reading = new ConfigReading()
    const config = configFrom(this.#env, this.#reader, reading.read)
    this.#config = config
    this.#inEffect = reading.used
    this.#tried = reading.seen
    return config
  }

  /** The files to look at, as absolute paths: those in effect, and those without which the last try failed. */
  get files(): ReadonlySet<string> {
    return new Set([...this.#inEffect.keys(), ...this.#tried.keys()])
  }

  /** Whether files differ from what was tried last, in effect or not. */
  hasChanged(contents: Contents): boolean {
    return [...this.files].some(file => !isSameContent(contents.get(file), this.#tried.get(file)))
  }

  /** These files, some of them with the content that was tried last. */
  withoutChanges(contents: Contents, files: readonly string[]): Contents {
    const tried = files.flatMap(file => {
      const content = this.#tried.get(file)
      return content === undefined ? [] : [[file, content] as const]
    })
    return new Map([...contents, ...tried])
  }

  /** Makes a configuration of files as they are now. Throws nothing. */
  next(contents: Contents): NextConfig {
    const whole = this.#attempt(contents)
    // A faulty configuration file must not hold up secrets and certificates that were rotated meanwhile.
    const partial = whole.config === undefined ? this.#attempt(this.#withFileInEffect(contents)) : undefined
    const seen = new Map([...(partial?.reading.seen ?? []), ...whole.reading.seen])
    const files = new Set([...this.#inEffect.keys(), ...seen.keys()])
    this.#tried = new Map(
      [...files].flatMap(file => {
        const content = seen.get(file) ?? contents.get(file)
        return content === undefined ? [] : [[file, content] as const]
      }),
    )
    const { config, reading } = partial ?? whole
    return {
      config,
      changed: config === undefined ? [] : this.#changedIn(reading.used),
      faults: [...new Set([...whole.faults, ...(partial?.faults ?? [])])],
      used: reading.used,
    }
  }

  /** Tells that this configuration is in effect. */
  accept({ config, used }: NextConfig): void {
    this.#config = config
    this.#inEffect = used
  }

  #attempt(contents: Contents): Attempt {
    const reading = new ConfigReading(contents, this.#inEffect)
    try {
      const config = configFrom(this.#env, this.#reader, reading.read)
      const losses = this.#config === undefined ? [] : lostProtection(this.#config, config)
      if (losses.length > 0) return { reading, faults: [...losses, ...reading.faults] }
      return { reading, config, faults: reading.faults }
    } catch (error) {
      const faults = error instanceof ConfigError ? error.faults.map(faultText) : [String(error)]
      return { reading, faults: [...faults, ...reading.faults] }
    }
  }

  #withFileInEffect(contents: Contents): Contents {
    const file = this.#env['CONFIG_FILE']
    const path = file ? resolve(file) : ''
    const inEffect = this.#inEffect.get(path)
    return inEffect === undefined ? contents : new Map([...contents, [path, inEffect]])
  }

  #changedIn(used: Contents): readonly string[] {
    const files = new Set([...this.#inEffect.keys(), ...used.keys()])
    return [...files].filter(file => !isSameContent(used.get(file), this.#inEffect.get(file)))
  }
}
