import { compileRules } from '../../rules/compile-rules.ts'
import { readConfigFile } from './config-file.ts'
import type { ConfigFileReader } from './config-file-reader.ts'
import { describeFile } from './describe-file.ts'
import { fileParts } from './file-parts.ts'
import { readTextFile } from './read-text-file.ts'

/** Larger than any file that people write. */
const maxFileBytes = 1_048_576

/** Reads configuration files from the disk. */
export const configFileReader: ConfigFileReader = {
  read: path => readConfigFile(path, readTextFile(path, maxFileBytes)),
  parts: (file, context, env) => fileParts(file, context, { env, readTextFile, compileRules }),
  describe: describeFile,
}
