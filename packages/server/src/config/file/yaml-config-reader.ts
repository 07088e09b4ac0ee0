import { compileRules } from '../../rules/compile-rules.ts'
import type { ReadTextFile } from '../values/read-text-file.ts'
import { type ConfigFile, readConfigFile } from './config-file.ts'
import type { ConfigFileReader } from './config-file-reader.ts'
import { describeFile } from './describe-file.ts'
import { type FileContext, type FileParts, type FileSurroundings, fileParts } from './file-parts.ts'
import { KubernetesIssuers } from './kubernetes-issuers.ts'
import { RulesCompiler } from './rules-compiler.ts'

/** Larger than any file that people write. */
const maxConfigBytes = 1_048_576

/**
 * Reads configuration files. Secrets rotate more often than the file changes, so the same text is parsed, and its rules are compiled,
 * only once in a row.
 */
export class YamlConfigReader implements ConfigFileReader {
  readonly #compileRules = new RulesCompiler(compileRules).compile
  readonly #kubernetesIssuer = new KubernetesIssuers().issuerOf
  #last: { readonly path: string; readonly text: string; readonly file: ConfigFile } | undefined

  read(path: string, readTextFile: ReadTextFile): ConfigFile {
    return readTextFile(path, maxConfigBytes, text => {
      if (this.#last?.path !== path || this.#last.text !== text) {
        this.#last = { path, text, file: readConfigFile(path, text) }
      }
      return this.#last.file
    })
  }

  parts(
    file: ConfigFile,
    context: FileContext,
    surroundings: Pick<FileSurroundings, 'env' | 'readTextFile'>,
  ): FileParts {
    return fileParts(file, context, {
      ...surroundings,
      compileRules: this.#compileRules,
      kubernetesIssuer: this.#kubernetesIssuer,
    })
  }

  describe(file: ConfigFile): string {
    return describeFile(file)
  }
}
