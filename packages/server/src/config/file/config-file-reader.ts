import type { ReadTextFile } from '../values/read-text-file.ts'
import type { ConfigFile } from './config-file.ts'
import type { FileContext, FileParts, FileSurroundings } from './file-parts.ts'

/** Reads configuration files. An interface, so that what a file needs is loaded only when there is one. */
export interface ConfigFileReader {
  /** Throws a `Refusal` when the file cannot be read. */
  read(path: string, readTextFile: ReadTextFile): ConfigFile
  parts(
    file: ConfigFile,
    context: FileContext,
    surroundings: Pick<FileSurroundings, 'env' | 'readTextFile'>,
  ): FileParts
  /** The text for `--check-config`. */
  describe(file: ConfigFile): string
}
