import { compileRules } from '../../rules/compile-rules.ts'
import { readConfigFile } from './config-file.ts'
import type { ConfigFileReader } from './config-file-reader.ts'
import { describeFile } from './describe-file.ts'
import { fileParts } from './file-parts.ts'
import { KubernetesIssuers } from './kubernetes-issuers.ts'

/** Larger than any file that people write. */
const maxConfigBytes = 1_048_576

const { issuerOf } = new KubernetesIssuers()

/** Reads configuration files. */
export const configFileReader: ConfigFileReader = {
  read: (path, read) => read(path, maxConfigBytes, text => readConfigFile(path, text)),
  parts: (file, context, surroundings) =>
    fileParts(file, context, { ...surroundings, compileRules, kubernetesIssuer: issuerOf }),
  describe: describeFile,
}
